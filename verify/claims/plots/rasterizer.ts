/** Claims about plots as pixels and panels beside each other. @module */
import { panels } from "../../../src/plots/panels.ts";
import { plot } from "../../../src/plots/plot.ts";
import type { Picture } from "../../../src/images/png.ts";
import { loadRasterizer } from "../../../src/plots/rasterizer.ts";
import { claim } from "../../suite/claim.ts";

/** [red, green, blue] of a pixel. */
function pixel({ width, data }: Picture, x: number, y: number): number[] {
  return [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)];
}

claim("a plot becomes pixels of its size, its marks where its axes say", async (check) => {
  const rasterize = await loadRasterizer();
  const ranges = { x: { min: 0, max: 2 }, y: { min: 0, max: 2 } };
  const svg = plot([{
    kind: "density",
    values: [0, 1, 2, 0],
    columns: 2,
    peak: 4,
    smooth: false,
    xRange: [0, 2],
    yRange: [0, 2],
    colour: "#ff0000",
  }], { width: 276, height: 258, ...ranges });
  const picture = rasterize(svg);
  check.equal("size", [picture.width, picture.height], [276, 258], "the SVG's");
  // The square is 200 pixels wide, from (62, 12); row 0 is at the bottom.
  const source = "red over white by a quarter, a half and nothing; 8 bits";
  for (
    const [what, x, y, expected] of [
      ["lower right", 230, 180, 191],
      ["upper left", 90, 40, 128],
      ["lower left", 90, 182, 255],
      ["upper right", 240, 40, 255],
    ] as const
  ) {
    const [red, green] = pixel(picture, x, y);
    check.equal(`${what}: red`, red, 255, source);
    check.within(`${what}: green`, green, expected, 2, source);
  }
  const twice = rasterize(svg, { scale: 2 });
  check.equal("twice as large", [twice.width, twice.height], [552, 516], "scale 2");
  const dark = rasterize(svg, { background: "black" });
  check.equal("on black", pixel(dark, 2, 2), [0, 0, 0], "the background asked for");
  await check.throws("no SVG", () => rasterize("<p>"), /the SVG cannot be drawn/);
  await check.throws("no size", () => rasterize(svg, { scale: 0 }), /scale must be a positive number, got 0/);
});

claim("every letter that pictures use is in their font", async (check) => {
  const rasterize = await loadRasterizer();
  const ink = (letter: string) => {
    const { data } = rasterize(
      `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><text x="5" y="22" font-size="20">${letter}</text></svg>`,
    );
    return data.reduce((sum, value) => sum + 255 - value, 0);
  };
  const letters = new Set<string>();
  const folder = new URL("../../../src/experiments/", import.meta.url);
  for (const { name } of Deno.readDirSync(folder)) {
    for (const letter of Deno.readTextFileSync(new URL(name, folder))) {
      if (letter > "~") letters.add(letter);
    }
  }
  for (const letter of "0aZ⁰¹²³⁴⁵⁶⁷⁸⁹⁻−") letters.add(letter);
  check.equal("nothing where there is no letter", ink("\u{10FFFD}"), 0, "a sign that no font has");
  const missing = [...letters].filter((letter) => ink(letter) === 0);
  check.equal(`missing of ${letters.size}`, missing, [], "each leaves ink");
});

claim(
  "a rasterizer takes its font from another address, and refuses addresses without a file and scales that are not positive",
  async (check) => {
    const shipped = new URL("../../../fixtures/fonts/plot_font.ttf", import.meta.url);
    const text =
      '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><text x="5" y="22" font-size="20">a</text></svg>';
    const [usual, own, none] = await Promise.all(
      [{}, { font: shipped }, { font: "data:font/ttf," }].map(async (parts) =>
        (await loadRasterizer(parts))(text)
      ),
    );
    check.equal("the project's font by its address", own, usual, "the same file");
    check.holds("letters with it", usual.data.some((value) => value < 128), "dark on white");
    check.holds("letters without one", none.data.every((value) => value === 255), "none is in an empty font");
    for (const name of ["font", "wasm"]) {
      for (const address of ["nowhere", 3, null]) {
        await check.throws(
          `${name}: ${address}`,
          () => loadRasterizer({ [name]: address as string }),
          new RegExp(`^${name} must be a URL, got "?${address}"?$`),
        );
      }
    }
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(null, { status: 404, statusText: "Not Found" }),
    );
    const font = `http://127.0.0.1:${server.addr.port}/font.ttf`;
    await check.throws(
      "a font that is not there",
      () => loadRasterizer({ font }),
      /^could not fetch http:.*font\.ttf: 404 Not Found$/,
    );
    await server.shutdown();
    const rasterize = await loadRasterizer();
    for (const scale of [0, -1, NaN, Infinity]) {
      await check.throws(
        `scale ${scale}`,
        () => rasterize(text, { scale }),
        new RegExp(`^scale must be a positive number, got ${scale}$`),
      );
    }
    const half = rasterize(text, { scale: 0.5 });
    check.equal("half as large", [half.width, half.height], [20, 15], "scale 0.5");
  },
);

claim("panels stand beside and below each other, each in its own size", async (check) => {
  const small = plot([], { width: 200, height: 150 });
  const large = plot([], { width: 300, height: 180 });
  const svg = panels([small, large, small], { columns: 2, title: "a & b" });
  check.holds("size", svg.includes('width="500" height="360"'), "200 + 300; 30 + 180 + 150");
  const places = [...svg.matchAll(/translate\((\d+) (\d+)\)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  check.equal("places", places, [[0, 30], [200, 30], [0, 210]], "left to right, top to bottom");
  check.holds("the title is escaped", svg.includes("a &#38; b"), "XML");
  await check.throws("none", () => panels([]), /at least one plot, got none/);
  await check.throws("half a column", () => panels([small], { columns: 0.5 }), /columns must be .* got 0.5/);
  await check.throws("no plot", () => panels(["<p>"]), /must be an <svg> with width and height, got <p>/);
});
