/** Pictures of two classes in folders, and the data set that they are. @module */
import { createRng } from "../../src/compute/rng.ts";
import type { ImageDataset } from "../../src/data/dataset.ts";
import { encodePng } from "../../src/images/png.ts";

/** Writes random pictures of 10×8 pixels, cats dark and dogs bright; returns their columns 1 to 8, which --size 8 keeps. */
export async function writePets(folder: string): Promise<ImageDataset> {
  const images = new Uint8Array(12 * 192);
  const uniforms = createRng(5).uniformValues([12, 320]);
  for (const [at, kind] of ["cat", "dog"].entries()) {
    await Deno.mkdir(`${folder}/pets/${kind}`, { recursive: true });
    for (let i = 0; i < 6; i++) {
      const image = 6 * at + i;
      const data = Uint8Array.from(
        uniforms.subarray(320 * image, 320 * image + 320),
        (u, j) => j % 4 === 3 ? 255 : Math.floor((at === 0 ? 100 : 256) * u),
      );
      await Deno.writeFile(`${folder}/pets/${kind}/${i}.png`, encodePng({ width: 10, height: 8, data }));
      for (let value = 0; value < 192; value++) {
        const [row, column, c] = [Math.floor(value / 24), Math.floor(value / 3) % 8, value % 3];
        images[192 * image + value] = data[(10 * row + column + 1) * 4 + c];
      }
    }
  }
  const labels = Uint8Array.from({ length: 12 }, (_, i) => Math.floor(i / 6));
  return { name: "pets", count: 12, shape: [8, 8, 3], classes: 2, images, labels };
}
