/** Claims about reading JPEG files. @module */
import { decodeJpeg } from "../../../src/images/jpeg.ts";
import { claim } from "../../suite/claim.ts";

const fixture = (name: string) =>
  Deno.readFile(new URL(`../../../fixtures/files/images/${name}`, import.meta.url));

claim("baseline and progressive JPEG files decode to the colours that were encoded", async (check) => {
  const blocks = [[200, 30, 60], [20, 180, 90], [10, 40, 220], [240, 230, 20]];
  for (const name of ["blocks.jpg", "blocks-progressive.jpg"]) {
    const { width, height, data } = await decodeJpeg(await fixture(name));
    check.equal(`${name}: size`, [width, height], [16, 16], "fixtures/files/images/README.md");
    let error = 0;
    for (let at = 0; at < data.length; at++) {
      const pixel = at >> 2;
      const block = 2 * (pixel >> 7) + ((pixel & 15) >> 3);
      error = Math.max(error, Math.abs(data[at] - [...blocks[block], 255][at & 3]));
    }
    check.atMost(
      `${name}: largest error of a level`,
      error,
      3,
      "the writer rounds luma and chroma, ½ + 1.772 · ½, and keeps their means to 1/16, .2; the reader rounds in its transform, ½, and " +
        "at the end, ½: 2.6 together, and errors are whole",
    );
  }
});
