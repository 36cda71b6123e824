/** Claims about words in pictures. @module */
import { imageGrid } from "../../../src/images/grid.ts";
import { drawText, textSize } from "../../../src/images/bitmap_font.ts";
import type { Picture } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";

const blank = (width: number, height: number): Picture => ({
  width,
  height,
  data: new Uint8Array(4 * width * height),
});

/** One letter for each pixel: # where it is white. */
function shown({ width, height, data }: Picture): string[] {
  return Array.from(
    { length: height },
    (_, y) => Array.from({ length: width }, (_, x) => data[4 * (y * width + x)] === 255 ? "#" : ".").join(""),
  );
}

claim(
  "letters stand upright, from left to right, where they are put, and are cut off at the border",
  async (check) => {
    const picture = blank(13, 8);
    drawText(picture, "L4", 1, 1);
    const expected = [
      ".............",
      "..##......#..",
      "...#.....##..",
      "...#....#.#..",
      "...#...#..#..",
      "...#...#####.",
      "...#......#..",
      "..###.....#..",
    ];
    check.equal("l4, one dot to a pixel", shown(picture), expected, "drawn by hand");
    const large = blank(24, 16);
    drawText(large, "l4", 2, 2, 2);
    const doubled = expected.slice(0, 8).flatMap((row) => {
      const wide = [...row].slice(0, 12).map((dot) => dot + dot).join("");
      return [wide, wide];
    });
    check.equal("at twice the scale", shown(large), doubled, "each dot is a square of four");
    const corner = blank(3, 3);
    drawText(corner, "4", -2, -3);
    check.equal("over a corner", shown(corner), [".#.", "###", ".#."], "what is outside is left out");
    check.equal("size", [textSize("l4", 2), textSize("")], [{ width: 22, height: 14 }, {
      width: 0,
      height: 7,
    }], "6 dots a letter, but for the last gap");
    await check.throws("a letter that it lacks", () => drawText(picture, "é", 0, 0), /no letter "é"/);
  },
);

claim("words beside a grid leave its images as they are", (check) => {
  const values = Float32Array.from({ length: 4 * 16 * 16 }, (_, i) => (i * 37 % 256) / 255);
  const shape = [4, 16, 16, 1];
  const plain = imageGrid(values, shape, { columns: 2, scale: 1 });
  const labelled = imageGrid(values, shape, { columns: 2, scale: 1, rowLabels: ["a", "bc"] });
  const margin = labelled.width - plain.width;
  check.equal(
    "margin and height",
    [margin, labelled.height - plain.height],
    [textSize("bc").width + 4, 0],
    "the longest word and a gap on both sides",
  );
  const right = Array.from(
    { length: plain.height },
    (_, y) => labelled.data.slice(4 * (y * labelled.width + margin), 4 * (y + 1) * labelled.width),
  );
  const rows = Array.from(
    { length: plain.height },
    (_, y) => plain.data.slice(4 * y * plain.width, 4 * (y + 1) * plain.width),
  );
  check.equal("images", right, rows, "the same, further to the right");
  const words = blank(textSize("bc").width, 7);
  drawText(words, "bc", 0, 0);
  const top = 2 + 18 + Math.floor((16 - 7) / 2);
  const found = shown(labelled).slice(top, top + 7).map((row) => row.slice(2, 2 + words.width));
  check.equal(
    "the second row's words, in the middle of its height",
    found,
    shown(words),
    "16 pixels and a gap of 2 a row",
  );
});
