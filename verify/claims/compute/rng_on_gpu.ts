/**
 * Random numbers made on the GPU: the same words as the host's, the same uniforms and signs bit for bit, and normal
 * numbers as near as the derivation in `src/compute/webgpu/random.ts` says.
 * @module
 */
import { createRng, rngFromState } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { threefryBlocks } from "../../../src/compute/threefry.ts";
import { runComputation } from "../../../src/compute/webgpu/program.ts";
import { THREEFRY } from "../../../src/compute/webgpu/random.ts";
import type { WebGPUBackend } from "../../../src/compute/webgpu/backend.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { decrypt, MASK } from "../../reference/threefry.ts";

/** Of a normal number, relative; then what the host's angle in float64, up to 2π, can be off by, times ρ ≤ 6.8. */
const RELATIVE = 17 * 2 ** -23;
const ABSOLUTE = 6.8 * 4 * 2 ** -52;
const derivation = "17·2⁻²³ |z| + 6.8·2⁻⁵⁰: the derivation at the head of src/compute/webgpu/random.ts";

const WORDS = `
${THREEFRY}
fn main(index : i32) {
  if (2 * index < uniforms.size) {
    let words = threefry(uniforms.low + u32(index), uniforms.high);
    result[2 * index] = bitcast<i32>(words.x);
    result[2 * index + 1] = bitcast<i32>(words.y);
  }
}
`;

async function read(tensor: tf.Tensor): Promise<number[]> {
  const values = Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

/** Compares numbers one by one; to print how long lists differ would take minutes. */
function checkBits(check: Check, what: string, observed: number[], expected: number[], source: string): void {
  check.equal(`${what}: how many`, observed.length, expected.length, "the shape");
  const differing = observed.filter((value, i) => value !== expected[i]).length;
  check.equal(`${what}: how many differ`, differing, 0, source);
}

/** Compares normal numbers by their largest error in units of what is promised. */
function checkNormals(check: Check, what: string, observed: number[], expected: ArrayLike<number>): void {
  const error = observed.reduce((most, value, i) => {
    return Math.max(most, Math.abs(value - expected[i]) / (RELATIVE * Math.abs(expected[i]) + ABSOLUTE));
  }, 0);
  check.atMost(
    `${what}: largest error, of the bound`,
    observed.length === expected.length ? error : NaN,
    1,
    derivation,
    { detectable: "one of the numbers off by 2e-6 of itself" },
  );
}

claim(
  "Threefry on the GPU equals Threefry on the host, bit for bit",
  { engines: ["webgpu"] },
  async (check) => {
    const blocks = 500;
    const [a, b] = threefryWords(check.seed);
    const cases = [[0, 0, 0, 0], [a, b, 0, 7], [b, a, 2 ** 32 - 100, 2 ** 32 - 1], [
      2 ** 32 - 1,
      5,
      2 ** 31 - 9,
      a,
    ]];
    for (const [key0, key1, low, high] of cases) {
      const expected = new Uint32Array(2 * blocks);
      threefryBlocks([key0, key1], low, high, expected);
      const info = runComputation(tf.backend() as WebGPUBackend, {
        name: "words",
        code: WORDS,
        inputs: {},
        shape: [2 * blocks],
        dtype: "int32",
        words: { key0, key1, low, high },
        threads: 64,
      });
      const observed = await read(tf.engine().makeTensorFromTensorInfo(info));
      const what = `${blocks} blocks from (${low}, ${high}) under (${key0}, ${key1})`;
      check.equal(what, observed.map((word) => word >>> 0), [...expected], "threefry.ts, counters mod 2³²");
    }
  },
);

/** Two words that depend on a seed. */
function threefryWords(seed: number): Uint32Array {
  const words = new Uint32Array(2);
  threefryBlocks([seed, 0], 0, 0, words);
  return words;
}

claim(
  "100,000 numbers of eachdistribution drawn on the GPU equal the host's: uniforms and signs bit for bit, normals to rounding",
  {
    engines: ["webgpu"],
  },
  async (check) => {
    const shape = [100, 7, 143]; // 1,001 numbers a row: the last block's second word is dropped
    const [device, host] = [createRng(check.seed), createRng(check.seed)];
    checkNormals(check, "normal", await read(device.normal(shape)), host.normalValues(shape));
    const uniforms = Array.from(host.uniformValues(shape), (u) => Math.min(Math.fround(u), 1 - 2 ** -24));
    checkBits(check, "uniform", await read(device.uniform(shape)), uniforms, "rounded once, ties to even");
    const signs = Array.from(host.uniformValues(shape), (u) => u < 0.5 ? 1 : -1);
    checkBits(check, "rademacher", await read(device.rademacher(shape)), signs, "the top bit");
    check.equal("the state after", device.state, host.state, "the cursor moves alike");
    checkNormals(check, "normal after", await read(device.normal([3, 1])), host.normalValues([3, 1]));
  },
);

claim("a draw on the GPU is the same for any split of the batch, and in any shape", {
  engines: ["webgpu"],
}, async (check) => {
  const rng = () => createRng(check.seed).fork("split");
  const whole = await read(rng().normal([6, 2, 5]));
  const parts = [
    rng().normal([2, 10]),
    rng().startingAt(2).normal([3, 5, 2]),
    rng().startingAt(5).normal([1, 10]),
  ];
  const joined: number[] = [];
  for (const part of parts) joined.push(...await read(part));
  check.equal("rows 0–1, 2–4 and 5", joined, whole, "one stream to a sample, one thread to a block");
  const before = tf.memory().numTensors, buffers = tf.backend().numDataIds();
  tf.dispose([rng().normal([6, 5]), rng().uniform([6, 5]), rng().rademacher([0, 5])]);
  check.equal("tensors left", tf.memory().numTensors, before, "a draw is one tensor");
  check.equal("buffers left", tf.backend().numDataIds(), buffers, "a draw is one tensor");
  const refused = createRng(1);
  await check.throws("a scalar", () => refused.normal([]), /^a draw's shape must be .* got \[\]$/);
  await check.throws(
    "past the last",
    () => refused.startingAt(2 ** 32 - 1).normal([2, 1]),
    /^the last sample/,
  );
  check.equal("the cursor after errors", refused.state.cursor, 0, "nothing was drawn");
});

claim(
  "at the generator's extremes the GPU's numbers equal the host's",
  { engines: ["webgpu"] },
  async (check) => {
    const largest = Number(MASK);
    const root = Math.floor(2 ** 31.5); // u = √½, where the logarithm's forms meet
    const radii = [0, 1, 2, 2 ** 23 - 1, 2 ** 23, 2 ** 24 - 1, 2 ** 24 + 1, 2 ** 31 - 1, 2 ** 31];
    radii.push(
      root - 200,
      root - 1,
      root,
      root + 1,
      root + 2,
      largest - 2 ** 20,
      largest - 200,
      largest - 1,
      largest,
    );
    const octants = [1, 2, 3, 4, 5, 6, 7].flatMap((octant) => [octant * 2 ** 29 - 1, octant * 2 ** 29]);
    const angles = [0, ...octants, 0x12345678, largest - 12345, largest];
    const words = [...radii.map((w) => [w, 0x2468ace0]), ...angles.map((w) => [0x13579bdf, w])];
    const [normals, uniforms]: number[][] = [[], []];
    const expected: number[][] = [[], []];
    for (const [w0, w1] of words) {
      const [cursor, firstSample] = decrypt([3n, 0n], [BigInt(w0), BigInt(w1)]).map(Number);
      const state = { key: [3, 0], cursor, firstSample } as const;
      normals.push(...await read(rngFromState(state).normal([1, 2])));
      uniforms.push(...await read(rngFromState(state).uniform([1, 2])));
      expected[0].push(...rngFromState(state).normalValues([1, 2]));
      expected[1].push(...[w0, w1].map((w) => Math.min(Math.fround((w + 0.5) / 2 ** 32), 1 - 2 ** -24)));
    }
    checkNormals(check, `${words.length} pairs of normals`, normals, expected[0]);
    check.equal("their uniforms", uniforms, expected[1], "rounded once, ties to even, below 1");
  },
);
