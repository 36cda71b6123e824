/** Claims about the random streams: the generator's published vectors, the documented mapping, and what chance allows. @module */
import { createRng, type Rng, rngFromState } from "../../../src/compute/rng.ts";
import { threefry2x32, threefryBlocks } from "../../../src/compute/threefry.ts";
import * as tf from "../../../src/compute/tf.ts";
import { claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { decrypt, encrypt, MASK, type Words } from "../../reference/threefry.ts";
import {
  checkMean,
  checkProportion,
  checkUniform,
  checkVariance,
  standardNormalCdf,
} from "../../instruments/statistics.ts";

claim("Threefry-2x32-20 agrees with its published vectors", (check) => {
  const source = "Random123's kat_vectors, threefry2x32 with 20 rounds (Salmon et al. 2011)";
  const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");
  const ones = 0xffffffff;
  check.equal("zeros", hex(threefry2x32([0, 0], 0, 0)), "6b200159 99ba4efe", source);
  check.equal("ones", hex(threefry2x32([ones, ones], ones, ones)), "1cb996fc bb002be7", source);
  const digits = threefry2x32([0x13198a2e, 0x03707344], 0x243f6a88, 0x85a308d3);
  check.equal("digits of pi", hex(digits), "c4923a9c 483df7a0", source);
});

claim(
  "Threefry agrees with a second implementation for any key and counter, block by block",
  async (check) => {
    const word = fc.bigInt({ min: 0n, max: MASK });
    const inputs = fc.tuple(fc.tuple(word, word), fc.tuple(word, word));
    const source = "a second implementation in integers of any size";
    await checkProperty(check, "words", inputs, ([key, [low, high]]) => {
      const words = new Uint32Array(6);
      threefryBlocks([Number(key[0]), Number(key[1])], Number(low), Number(high), words);
      return [0, 1, 2].every((j) => {
        const expected = encrypt(key, [(low + BigInt(j)) & MASK, high]);
        return words[2 * j] === Number(expected[0]) && words[2 * j + 1] === Number(expected[1]);
      });
    }, source);
  },
);

claim("seeds, forks and draws follow the documented mapping from counters to numbers", async (check) => {
  const seed = 0x1234_5678_9abc;
  const label = "training nöise"; // 15 bytes: two blocks and the length
  const bytes = new Uint8Array(16);
  const length = new TextEncoder().encodeInto(label, bytes).written;
  const words = new Uint32Array(bytes.buffer);
  let key: Words = [0x5678_9abcn, 0x1234n];
  for (const block of [[words[0], words[1]], [words[2], words[3]], [length, 0xffffffff]]) {
    key = encrypt(key, [BigInt(block[0]), BigInt(block[1])]);
  }
  const rng = createRng(seed).fork(label).startingAt(7);
  const source = "the module's documentation, computed by a second implementation";
  check.equal("key of the fork", rng.state.key, key.map(Number), source);
  const uniform = (block: number, sample: number) =>
    encrypt(key, [BigInt(block), BigInt(sample)]).map((word) => (Number(word) + 0.5) / 2 ** 32);
  const [a, b] = [rng.uniformValues([2, 3]), rng.uniformValues([2, 1])];
  const rows = (second: number) => [7, 8].flatMap((sample) => uniform(second, sample));
  check.equal(
    "uniform [2, 3]",
    [...a],
    [7, 8].flatMap((sample) => [...uniform(0, sample), uniform(1, sample)[0]]),
    source,
  );
  check.equal("uniform [2, 1], the draw after", [...b], [uniform(2, 7)[0], uniform(2, 8)[0]], source);
  const signs = await read(rng.rademacher([2, 2]));
  check.equal("rademacher", signs, rows(3).map((u) => u >= 0.5 ? -1 : 1), source);
  const normals = [7, 8].flatMap((sample) => {
    const [u, v] = uniform(4, sample);
    const radius = Math.sqrt(-2 * Math.log(u));
    return [radius * Math.cos(2 * Math.PI * v), radius * Math.sin(2 * Math.PI * v)].map(Math.fround);
  });
  check.equal("normal", [...rng.normalValues([2, 2])], normals, source);
  check.equal("blocks used", rng.state.cursor, 5, "⌈n/2⌉ blocks a draw: 2 + 1 + 1 + 1");
});

claim("draw k of sample i is the same number for any batch size, split and order of rows", async (check) => {
  const lengths = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
  const inputs = fc.tuple(fc.maxSafeNat(), lengths, fc.nat(6), fc.nat(3));
  await checkProperty(check, "normals", inputs, ([seed, lengths, first, rows]) => {
    const whole = createRng(seed);
    const part = createRng(seed).startingAt(first);
    return lengths.every((length) => {
      const all = whole.normalValues([first + rows + 2, length]);
      const some = part.normalValues([rows, length]);
      return some.every((value, i) => Object.is(value, all[first * length + i]));
    });
  }, "one stream to a sample index");
});

claim("a draw is the same on the host and in a tensor, and a saved state continues it bit for bit", {
  engines: ["wasm", "webgpu", "cpu"],
}, async (check) => {
  const [a, b] = [createRng(5), createRng(5)];
  const same = (what: string, left: ArrayLike<number>, right: ArrayLike<number>) =>
    check.equal(what, Array.from(left), Array.from(right), "the same stream");
  const [normals, hosts] = [await read(a.normal([3, 2, 5])), b.normalValues([3, 2, 5])];
  // A GPU makes them in float32; how near is a claim of its own.
  if (tf.getBackend() !== "webgpu") same("normal", normals, hosts);
  same("uniform", await read(a.uniform([3, 2, 5])), Float32Array.from(b.uniformValues([3, 10])));
  const restored = rngFromState(JSON.parse(JSON.stringify(a.state)));
  same("after a restore", restored.normalValues([3, 4]), a.normalValues([3, 4]));
  same("fork after a restore", restored.fork("x").normalValues([1, 4]), b.fork("x").normalValues([1, 4]));
});

claim(
  "uniform numbers stay strictly inside (0, 1) and normal ones finite at the generator's extremes",
  async (check) => {
    const key: Words = [3n, 0n];
    const at = (words: Words): Rng => {
      const [cursor, firstSample] = decrypt(key, words).map(Number);
      return rngFromState({ key: [3, 0], cursor, firstSample });
    };
    const [largest] = await read(at([MASK, MASK]).uniform([1, 1]));
    const [smallest] = await read(at([0n, 0n]).uniform([1, 1]));
    check.equal("largest word as a uniform float32", largest, 1 - 2 ** -24, "the largest float32 below 1");
    check.equal("smallest word as a uniform float32", smallest, 2 ** -33, "½·2⁻³²");
    const [tail] = at([0n, 0n]).normalValues([1, 1]);
    check.within(
      "normal of the smallest word",
      tail,
      Math.sqrt(66 * Math.LN2),
      1e-6,
      "√(66 ln 2), cos 0 = 1",
    );
  },
);

claim("normal draws are normal, and independent along a stream, across samples and across forks", (check) => {
  const [rows, length] = [400, 500];
  const n = rows * length;
  const rng = createRng(check.seed);
  const z = rng.normalValues([rows, length]);
  const next = rng.normalValues([rows, length]);
  const fork = createRng(check.seed).fork("other").normalValues([rows, length]);
  const source = "the standard normal distribution";
  checkUniform(check, "distribution function", Float64Array.from(z, standardNormalCdf), source);
  checkMean(check, "mean", average(z, (v) => v), 0, 1, n, source);
  checkVariance(check, "variance", average(z, (v) => v * v), 1, n, source);
  const beyond = (limit: number) => z.reduce((count, v) => count + (Math.abs(v) > limit ? 1 : 0), 0);
  for (const limit of [2, 4]) {
    checkProportion(check, `beyond ±${limit}`, beyond(limit), n, 2 * standardNormalCdf(-limit), source);
  }
  const pairs: [string, (i: number) => [number, number]][] = [
    ["the two numbers of a block", (i) => [z[i & ~1], z[i | 1]]],
    ["neighbouring blocks", (i) => [z[i], z[(i + 2) % n]]],
    ["neighbouring samples", (i) => [z[i], z[(i + length) % n]]],
    ["one draw and the next", (i) => [z[i], next[i]]],
    ["a fork and its parent", (i) => [z[i], fork[i]]],
  ];
  const median = 0.6744897501960817; // of |z|: Φ(median) = 3/4
  for (const [what, pair] of pairs) {
    const step = what.startsWith("the two") ? 2 : 1;
    const values = Array.from({ length: n / step }, (_, i) => pair(i * step));
    // Products of independent standard normals have mean 0 and variance 1.
    checkMean(
      check,
      `${what}: mean product`,
      average(values, ([a, b]) => a * b),
      0,
      1,
      values.length,
      "independence",
    );
    const agreeing = values.filter(([a, b]) => (Math.abs(a) > median) === (Math.abs(b) > median)).length;
    checkProportion(check, `${what}: magnitudes that agree`, agreeing, values.length, 0.5, "independence");
  }
});

claim("uniform draws are uniform to their last bits, and signs are fair", async (check) => {
  const [rows, length] = [200, 1000];
  const u = createRng(check.seed).fork("uniform").uniformValues([rows, length]);
  const source = "the uniform distribution";
  checkUniform(check, "values", u, source);
  checkUniform(check, "the low 16 bits", u.map((value) => (value * 65536) % 1), source);
  const serial = u.filter((_, i) => i % 2 === 0).map((value, i) => (16 * value + u[2 * i + 1]) % 1);
  checkUniform(check, "first four bits against the partner", serial, source);
  const signs = await read(createRng(check.seed).rademacher([rows, length]));
  const plus = signs.filter((sign) => sign > 0).length;
  checkProportion(check, "plus signs", plus, rows * length, 0.5, "Rademacher");
  check.equal("other values than ±1", signs.filter((sign) => Math.abs(sign) !== 1).length, 0, "Rademacher");
});

claim("invalid seeds, states and shapes are refused with an error that names them", async (check) => {
  for (const seed of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    await check.throws(
      `seed ${seed}`,
      () => createRng(seed),
      /^seed must be an integer from 0 to 2\^53 - 1, got/,
    );
  }
  const state = createRng(1).state;
  await check.throws(
    "cursor",
    () => rngFromState({ ...state, cursor: -1 }),
    /^cursor must be an integer .* got -1$/,
  );
  await check.throws(
    "key",
    () => rngFromState({ ...state, key: [0, 2 ** 32] }),
    /^key\[1\] must be an integer/,
  );
  await check.throws("first sample", () => createRng(1).startingAt(1.5), /^firstSample must be .* got 1.5$/);
  await check.throws(
    "scalar",
    () => createRng(1).normal([]),
    /^a draw's shape must be \[rows, …\] .* got \[\]$/,
  );
  await check.throws("size", () => createRng(1).normal([2, -1]), /got \[2, -1\]$/);
  const last = createRng(1).startingAt(2 ** 32 - 1);
  await check.throws("past the last sample", () => last.normal([2, 1]), /^the last sample index must be/);
});

/** A tensor's values; disposes it. */
async function read(tensor: tf.Tensor): Promise<number[]> {
  const values = Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

function average<T>(values: ArrayLike<T>, of: (value: T) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += of(values[i]);
  return sum / values.length;
}
