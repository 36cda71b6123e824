/** Rows of pictures, plots and their files. @module */
import * as m from "./exported.ts";
import { between, list, name, number, optional, options, type Rows, text, thing, whole } from "./argument.ts";
import { picture, pictureArgument } from "./parts.ts";

const png = () => m.encodePng(picture());
/** A JPEG file of the corpus. */
const jpeg = () =>
  Deno.readFileSync(new URL("../../../fixtures/files/images/corpus/jpeg_grey.jpg", import.meta.url));
const marks = () => [{ kind: "line", x: [1, 2], y: [1, 3] }] as unknown as number[];
const side = whole(300, 150, 1e5);
const axis = optional(options({
  label: optional(text("x")),
  scale: optional(name("linear")),
  min: optional(number(0, (v) => v < 5)),
  max: optional(number(5, (v) => v > 0)),
}));

export const pictureRows: Rows = {
  encodeGif: {
    arguments: [
      list(() => [picture()] as unknown as number[], thing(picture)),
      optional(options({
        delay: optional(between(60, 0, 655_350)),
        lastDelay: optional(between(100, 0, 655_350)),
        colours: optional(whole(16, 2, 256)),
      })),
    ],
  },
  table: {
    arguments: [
      list(() => [{ a: 1 }] as unknown as number[], thing(() => ({ a: 1 }))),
      optional(options({ digits: optional(whole(3, 1, 15)) })),
    ],
  },
  ShownTable: {
    call: (rows: never, given?: m.TableOptions) => new m.ShownTable(rows, given),
    arguments: [
      list(() => [{ a: 1 }] as unknown as number[], thing(() => ({ a: 1 }))),
      optional(options({ digits: optional(whole(3, 1, 15)) })),
    ],
  },
  ShownPicture: {
    call: (given: m.Picture, names?: m.PictureNames) => new m.ShownPicture(given, names),
    arguments: [pictureArgument, optional(options({ title: optional(text("t")) }))],
  },
  imageGrid: {
    arguments: [
      thing(() => new Float32Array(8)),
      list(() => [2, 2, 2, 1], whole(2, 2, 2)),
      optional(options({
        columns: optional(whole(1, 1, 1e4)),
        scale: optional(whole(1, 1, 1e3)),
        gap: optional(whole(1, 0, 1e3)),
        title: optional(text("t")),
        rowNames: optional(list(() => ["a", "b"] as unknown as number[], text("a"), true)),
        columnNames: optional(list(() => ["a"] as unknown as number[], text("a"), true)),
        names: optional(list(() => ["a", "b"] as unknown as number[], text("a"), true)),
      })),
    ],
  },
  readNpy: {
    arguments: [thing(() => m.writeNpy({ shape: [2], values: new Float32Array(2) })), optional(text("data"))],
  },
  readNpyNumbers: {
    arguments: [thing(() => m.writeNpy({ shape: [2], values: new Float32Array(2) })), optional(text("data"))],
  },
  writeNpy: {
    arguments: [
      options({ shape: list(() => [2], whole(2, 2, 2)), values: thing(() => new Float32Array(2)) }),
    ],
  },
  histogram: {
    arguments: [
      list(() => [1, 2, 3]),
      options({ bins: whole(3, 1, 1e6), range: list(() => [0, 5], number(0, (v) => v < 5)) }),
    ],
  },
  pointPanels: {
    arguments: [
      list(
        () => [{ title: "t", points: [1, 2] }] as unknown as number[],
        thing(() => ({ title: "t", points: [1, 2] })),
      ),
      thing(() => ["x", "y"]),
    ],
  },
  panels: {
    arguments: [
      list(() => [m.plot([])] as unknown as number[], thing(() => m.plot([]))),
      optional(options({ columns: optional(whole(1, 1)), title: optional(text("t")) })),
    ],
  },
  plot: {
    arguments: [
      list(marks, thing(() => marks()[0]), true),
      optional(options({
        title: optional(text("t")),
        x: axis,
        y: axis,
        width: optional(side),
        height: optional(side),
      })),
    ],
  },
  decodeJpeg: { arguments: [thing(jpeg), optional(text("data"))] },
  decodePicture: { arguments: [thing(png), text("data")] },
  decodePng: { arguments: [thing(png), optional(text("data"))] },
  encodePng: { arguments: [pictureArgument] },
  loadRasterizer: {
    arguments: [optional(options({
      wasm: optional({ make: () => undefined, allows: (v) => v === undefined }),
      font: optional({ make: () => undefined, allows: (v) => v === undefined }),
    }))],
  },
};
