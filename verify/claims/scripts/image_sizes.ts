/** Claims about images of sizes that no preset has: attention, ways out, data of one value. @module */
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { newConfig, recipeFlags } from "../../../scripts/training/recipe.ts";
import type { ImageDataset } from "../../../src/data/dataset.ts";
import { resizedDataset } from "../../../src/data/resized.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { paddedSize, type UNetConfig } from "../../../src/networks/unet.ts";
import { claim } from "../../suite/claim.ts";

function images(height: number, width: number, channels: number): ImageDataset {
  const values = Uint8Array.from({ length: 2 * height * width * channels }, (_, i) => 37 * i);
  return {
    name: "images",
    count: 2,
    shape: [height, width, channels],
    classes: 2,
    images: values,
    labels: Uint8Array.of(0, 1),
  };
}

const flags = parseFlags({ name: "train", purpose: "", flags: recipeFlags }, []);

claim(
  "a network is made for images of any size, with attention on the same levels",
  async (check) => {
    for (const size of [16, 24, 28, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 256]) {
      const { model: { network } } = await newConfig(flags, images(size, size, 3), undefined);
      const { sampleShape } = networkFromConfig(network);
      check.equal(`${size}×${size}: samples`, sampleShape, [size, size, 3], "the data's shape");
      // Colour presets of 32 and of 64 pixels unshuffle by 2 and attend where 8 rows are left of 32, and of 64.
      const attended = size > 48 ? [8 * size / 64] : size > 28 ? [8 * size / 32] : [];
      check.equal(
        `${size}×${size}: attention`,
        network.kind === "unet" && network.attention,
        attended,
        "the preset's level",
      );
    }
    // Padded to a multiple of 4, of 8 for colour-32 and of 16 for colour-64.
    for (
      const [size, padded, attended] of [[30, 32, [8]], [27, 28, []], [50, 64, [8]], [33, 40, [10]]] as const
    ) {
      const { model: { network } } = await newConfig(flags, images(size, size, 1), undefined);
      check.equal(
        `${size}×${size}: samples`,
        networkFromConfig(network).sampleShape,
        [size, size, 1],
        "the data's",
      );
      const own = network as UNetConfig;
      check.equal(
        `${size}×${size}: computed at, with attention at`,
        [paddedSize(own), own.attention],
        [[padded, padded], attended],
        "the next multiple, of which a quarter of the rows is attended",
      );
    }
  },
);

claim("images of one value are refused in a sentence; any data can be scaled", async (check) => {
  const black = { ...images(28, 28, 1), images: new Uint8Array(2 * 784) };
  await check.throws(
    "black images",
    () => newConfig(flags, black, undefined),
    /^all images of images are of one value: there is nothing to learn$/,
  );
  const whole = { ...images(4, 4, 1), count: 1, labels: Uint8Array.of(0) };
  const small = resizedDataset({ ...whole, images: Uint8Array.from({ length: 16 }, (_, i) => 10 * i) }, 2);
  check.equal(
    "4×4 to 2×2",
    [small.shape, [...small.images]],
    [[2, 2, 1], [25, 45, 105, 125]],
    "means of four, by hand",
  );
  const colour = resizedDataset({
    ...images(2, 2, 3),
    count: 1,
    labels: Uint8Array.of(0),
    images: Uint8Array.of(0, 10, 20, 40, 50, 60, 0, 10, 20, 40, 50, 60),
  }, 1);
  check.equal("2×2 of three channels to one pixel", [...colour.images], [20, 30, 40], "channel by channel");
});
