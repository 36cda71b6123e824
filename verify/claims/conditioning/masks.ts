/** Claims about masks, and about putting in exactly what they know. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { withExactKnownValues } from "../../../src/conditioning/imputation.ts";
import {
  maskByName,
  maskFromPicture,
  type MaskName,
  maskNames,
  randomMask,
} from "../../../src/conditioning/masks.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { checkProportion } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

/** First and last hidden row and column of 28×28 pixels. */
const boxes: Record<Exclude<MaskName, "none" | "all">, readonly [number, number, number, number]> = {
  "left": [0, 27, 0, 13],
  "right": [0, 27, 14, 27],
  "top": [0, 13, 0, 27],
  "bottom": [14, 27, 0, 27],
  "centre": [7, 20, 7, 20],
  "vertical-stripe": [0, 27, 11, 16],
  "horizontal-stripe": [11, 16, 0, 27],
};

claim("each mask hides the region that its name says, and no other", async (check) => {
  check.equal("names", maskNames, [...Object.keys(boxes), "none", "all"], "none is left out");
  for (const channels of [1, 3]) {
    for (const [name, [top, bottom, left, right]] of Object.entries(boxes)) {
      const expected = Array.from({ length: 28 * 28 * channels }, (_, at) => {
        const [y, x] = [Math.floor(at / channels / 28), Math.floor(at / channels) % 28];
        return y >= top && y <= bottom && x >= left && x <= right ? 0 : 1;
      });
      const mask = Array.from(maskByName(name as MaskName, [28, 28, channels]));
      check.equal(`${name}, ${channels} channels`, mask, expected, "rows and columns counted by hand");
    }
  }
  check.equal("none", maskByName("none", [2, 2, 1]), new Float32Array(4).fill(1), "all is known");
  check.equal("all", maskByName("all", [2, 2, 1]), new Float32Array(4), "nothing is known");
  const odd = Array.from(maskByName("left", [1, 5, 1]));
  check.equal("left half of five columns", odd, [0, 0, 1, 1, 1], "the middle one stays known");
  await check.throws("another name", () => maskByName("diagonal" as MaskName, [2, 2, 1]), /got "diagonal"/);
  await check.throws(
    "no picture",
    () => maskByName("left", [784]),
    /\[height, width, channels\], got \[784\]/,
  );
});

claim(
  "a random mask hides each pixel with its probability, all channels of a pixel or none",
  async (check) => {
    const [side, share] = [300, 0.3];
    const mask = randomMask([side, side, 3], share, createRng(check.seed));
    let hidden = 0;
    let torn = 0;
    let runs = 0;
    for (let pixel = 0; pixel < side * side; pixel++) {
      const [red, green, blue] = mask.subarray(3 * pixel, 3 * pixel + 3);
      if (red !== green || green !== blue) torn++;
      if (red === 0) hidden++;
      // Pairs that share no pixel are independent.
      if (pixel % 2 === 1 && red === 0 && mask[3 * pixel - 3] === 0) runs++;
    }
    const source = "independent Bernoulli variables";
    checkProportion(check, "hidden pixels", hidden, side * side, share, source);
    checkProportion(check, "neighbours both hidden", runs, side * side / 2, share ** 2, source);
    check.equal("pixels of which some channels are known", torn, 0, "a pixel is known or not");
    const again = randomMask([side, side, 3], share, createRng(check.seed));
    check.equal("the same seed", again, mask, "all randomness comes from the generator");
    for (const [p, value] of [[0, 1], [1, 0]]) {
      const all = randomMask([3, 3, 1], p, createRng(check.seed));
      check.equal(`probability ${p}`, all, new Float32Array(9).fill(value), "certain");
    }
    await check.throws("1.5", () => randomMask([2, 2, 1], 1.5, createRng(1)), /must be from 0 to 1, got 1.5/);
  },
);

claim("a mask read from a picture hides its dark pixels and keeps its bright ones", async (check) => {
  const colours = [[255, 255, 255], [0, 0, 0], [128, 128, 128], [127, 127, 127], [255, 0, 0], [255, 255, 0]];
  const data = Uint8Array.from(colours.flatMap((colour) => [...colour, 255]));
  const mask = maskFromPicture({ width: 3, height: 2, data }, [2, 3, 1]);
  check.equal("mask", Array.from(mask), [1, 0, 1, 0, 0, 1], "at least half as bright as white");
  await check.throws(
    "another size",
    () => maskFromPicture({ width: 3, height: 2, data }, [28, 28, 1]),
    /for images of 28×28 must be of that size, got 3×2/,
  );
});

claim(
  "the final paste sets known values exactly and leaves the rest of a sample as it was, bit for bit",
  async (check) => {
    const covariance = [[1, 0.6, 0.2], [0.6, 1, 0.1], [0.2, 0.1, 0.5]];
    const model = scoreModel(new Gaussian({ mean: [0.3, -0.2, 0.1], covariance }), vpSde());
    const known = tf.tensor2d([[7, 0.123456789, -9]]);
    for (const sampler of [ddim({ eta: 1 }), dpmSolver2M()]) {
      const draw = async (other: typeof sampler) => {
        const run = {
          shape: [4, 3],
          grid: { kind: "log-snr", steps: 4 },
          rng: createRng(check.seed),
        } as const;
        const x = await drawSamples(model, other, run);
        const values = Array.from(await x.data());
        x.dispose();
        return values;
      };
      const before = tf.memory().numTensors;
      const plain = await draw(sampler);
      const with1 = await draw(withExactKnownValues(sampler, { mask: [0, 1, 0], known }));
      const expected = plain.map((value, at) => at % 3 === 1 ? Math.fround(0.123456789) : value);
      check.equal(`${sampler.name}: samples`, with1, expected, "only the end is touched");
      check.equal(
        `${sampler.name}: tensors left`,
        tf.memory().numTensors - before,
        0,
        "each step frees its own",
      );
    }
    await check.throws(
      "half a mask",
      () => withExactKnownValues(ddim(), { mask: [1], known }),
      /has 3 entries, got 1/,
    );
    known.dispose();
  },
);

claim("masks of pictures that are no squares lie along the right sides", async (check) => {
  const mask = (name: MaskName, shape: number[]) => Array.from(maskByName(name, shape));
  check.equal("left of 2 × 4", mask("left", [2, 4, 1]), [0, 0, 1, 1, 0, 0, 1, 1], "two columns of four");
  check.equal("top of 4 × 2", mask("top", [4, 2, 1]), [0, 0, 0, 0, 1, 1, 1, 1], "two rows of four");
  const shape = [3, 5, 2];
  const uniforms = createRng(check.seed).fork("mask").uniformValues([1, 15]);
  const expected = Array.from(uniforms).flatMap((u) => u < 0.4 ? [0, 0] : [1, 1]);
  check.equal("at random", [...randomMask(shape, 0.4, createRng(check.seed))], expected, "a number a pixel");
  const picture = (...pixels: number[][]) => ({
    width: pixels.length,
    height: 1,
    data: Uint8Array.from(pixels.flat()),
  });
  const dark = picture([127, 127, 128, 255], [128, 128, 127, 255], [0, 0, 0, 0], [0, 0, 0, 120]);
  check.equal(
    "borders",
    [...maskFromPicture(dark, [1, 4, 1])],
    [0, 1, 1, 1],
    "382 of 765, 383, and on white",
  );
  const tall = { width: 1, height: 2, data: Uint8Array.of(0, 0, 0, 255, 255, 255, 255, 255) };
  check.equal(
    "two rows",
    [...maskFromPicture(tall, [2, 1, 3])],
    [0, 0, 0, 1, 1, 1],
    "the upper one is black",
  );
  const shapes: [string, unknown][] = [["two axes", [2, 2]], ["four axes", [1, 2, 2, 1]], ["no row", [
    0,
    2,
    1,
  ]], ["half a row", [1.5, 2, 1]]];
  for (const [what, shape] of shapes) {
    await check.throws(
      what,
      () => maskByName("left", shape as number[]),
      /^a mask is for images of shape \[height, width, channels\], got \[/,
    );
  }
  await check.throws("no shape", () => maskByName("left", 7 as unknown as number[]), /channels\], got 7$/);
  await check.throws(
    "nothing dark",
    () => maskFromPicture(picture([255, 255, 255, 255]), [1, 1, 1]),
    /^the mask hides nothing: /,
  );
  await check.throws(
    "too high",
    () => maskFromPicture(tall, [1, 1, 1]),
    /of 1×1 must be of that size, got 1×2$/,
  );
  await check.throws(
    "too wide",
    () => maskFromPicture(dark, [1, 3, 1]),
    /of 3×1 must be of that size, got 4×1$/,
  );
  await check.throws("below 0", () => randomMask([1, 1, 1], -0.1, createRng(1)), /from 0 to 1, got -0.1$/);
  await check.throws(
    "text",
    () => randomMask([1, 1, 1], "1" as unknown as number, createRng(1)),
    /from 0 to 1, got "1"$/,
  );
});
