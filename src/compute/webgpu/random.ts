/**
 * Random numbers generated on the GPU, by the mapping that `rng.ts` documents: the same words, so the same uniforms
 * and signs bit for bit, and the same normal numbers to rounding.
 *
 * WGSL's own functions are not accurate enough: log has an error of 2⁻²¹ near 1, cos of 2⁻¹¹. Here the words are
 * reduced as integers, which is exact, and the series see small arguments only. The error of a normal number z, with
 * the roundings of WGSL, which may go up or down, ε = 2⁻²³ each, a division 2.5 ε, a root 4.5 ε:
 * - ln u with u = m·2ᵉ, √½ ≤ m < √2, from s = (m − 1)/(m + 1), |s| ≤ 0.172, as e ln 2 + 2s(1 + s²/3 + … + s⁸/9): the
 *   series' rest is 2e-9. m carries ½ ε of u, s 4.1 ε, ln m 6.3 ε of itself; where e < 0, |ln u| ≥ 0.346 ≥ |ln m|, and
 *   with ½ ε of m, 3 ε in e ln 2 and one for the sum that is at most 12 ε of ln u. Where u > √½, 1 − u is known to ½ ε
 *   from the complement of the word, and the 6.3 ε remain. So √(−2 ln u) has 6 ε and the root's 4.5 ε.
 * - The angle is q π/4 + x or (q + 1) π/4 − x with 0 < x < π/4, where x is known to 2 ε. sin x with 5 terms has 4.5 ε
 * of
 *   itself, cos x with 6 has 4.3 ε; their rests are 2e-9 and 1e-10.
 * - The product adds one: 16 ε of z, and the host rounds by ½ ε. 17 ε = 2.0e-6 |z| is the documented bound.
 * @module
 */
import type { DrawAttributes } from "../rng.ts";
import type * as tf from "../tf.ts";
import type { WebGPUBackend } from "./backend.ts";
import { runComputation } from "./program.ts";

const THREADS = 64;

/** The kernel "ThreefryDraw": rows × length numbers, of the given shape. */
export function webGpuDraw(backend: WebGPUBackend, draw: DrawAttributes): tf.TensorInfo {
  const { distribution, key0, key1, cursor, firstSample, rows, length, shape } = draw;
  const numbers = runComputation(backend, {
    name: `draw ${distribution}`,
    code: `${THREEFRY}\n${UNIT}\n${DISTRIBUTIONS[distribution]}\n${DRAW}`,
    inputs: {},
    shape: [rows * length],
    integers: { rows, length },
    words: { key0, key1, cursor, firstSample },
    threads: THREADS,
    workgroups: Math.ceil(rows * Math.ceil(length / 2) / THREADS),
  });
  return { ...numbers, shape: [...shape] };
}

/** Threefry-2x32-20 of a counter under the uniforms' key, as in `threefry.ts`. */
export const THREEFRY = `
fn mixed(x : vec2<u32>, turn : u32) -> vec2<u32> {
  let sum = x.x + x.y;
  return vec2<u32>(sum, ((x.y << turn) | (x.y >> (32u - turn))) ^ sum);
}

fn threefry(low : u32, high : u32) -> vec2<u32> {
  var keys = vec3<u32>(uniforms.key0, uniforms.key1, 0x1bd11bdau ^ uniforms.key0 ^ uniforms.key1);
  var x = vec2<u32>(low, high) + keys.xy;
  for (var s = 1u; s <= 5u; s++) {
    if ((s & 1u) == 1u) {
      x = mixed(mixed(mixed(mixed(x, 13u), 15u), 26u), 6u);
    } else {
      x = mixed(mixed(mixed(mixed(x, 17u), 29u), 16u), 24u);
    }
    keys = keys.yzx;
    x += keys.xy + vec2<u32>(0u, s);
  }
  return x;
}
`;

/**
 * (w + ½)·2⁻³² as the float32 next to it, the even one of two: 2w + 1 has up to 33 binary digits, of which 24 are kept.
 * Below the last digit that is dropped first there is a 1, so ties are only where one digit is dropped.
 */
const UNIT = `
fn unitOf(w : u32) -> f32 {
  let digits = 32u - countLeadingZeros(w);
  if (digits < 24u) { return f32(2u * w + 1u) * bitcast<f32>(94u << 23u); }
  let dropped = digits - 23u;
  let kept = w >> (dropped - 1u);
  var up = kept & 1u;
  if (dropped > 1u) { up = (w >> (dropped - 2u)) & 1u; }
  return f32(kept + up) * bitcast<f32>((94u + dropped) << 23u);
}
`;

const DISTRIBUTIONS: Readonly<Record<DrawAttributes["distribution"], string>> = {
  uniform: `
const LARGEST_BELOW_ONE = 0.999999940395355224609375;
fn numbersOf(words : vec2<u32>) -> vec2<f32> {
  return min(vec2<f32>(unitOf(words.x), unitOf(words.y)), vec2<f32>(LARGEST_BELOW_ONE));
}
`,
  rademacher: `
fn numbersOf(words : vec2<u32>) -> vec2<f32> {
  return select(vec2<f32>(1.0), vec2<f32>(-1.0), words >= vec2<u32>(0x80000000u));
}
`,
  normal: `
/** ln(1 + f), √½ ≤ 1 + f < √2. */
fn logOnePlus(f : f32) -> f32 {
  let s = f / (2.0 + f);
  let z = s * s;
  return 2.0 * s * (1.0 + z * (0.33333333 + z * (0.2 + z * (0.14285714 + z * 0.11111111))));
}

/** −ln((w + ½)·2⁻³²). */
fn minusLog(w : u32) -> f32 {
  if (w >= 0xb504f334u) { return -logOnePlus(-unitOf(~w)); } // above √½
  let bits = bitcast<u32>(unitOf(w));
  let exponent = bitcast<i32>(bits - 0x3f3504f3u) >> 23u; // less the bits of √½
  let m = bitcast<f32>(bits - (bitcast<u32>(exponent) << 23u));
  return -(f32(exponent) * 0.69314718 + logOnePlus(m - 1.0));
}

/** Cosine and sine of 2π(w + ½)·2⁻³². */
fn directionOf(w : u32) -> vec2<f32> {
  let octant = w >> 29u;
  let rest = w & 0x1fffffffu;
  let isOdd = (octant & 1u) == 1u;
  let x = 6.2831853 * unitOf(select(rest, 0x1fffffffu - rest, isOdd));
  let z = x * x;
  let sine = x * (1.0 + z * (-0.16666667 + z * (0.0083333333 + z * (-0.0001984127 + z * 2.7557319e-6))));
  let cosine = 1.0 + z * (-0.5 + z * (0.041666667 +
    z * (-0.0013888889 + z * (0.000024801587 + z * -2.7557319e-7))));
  // Octants 1 and 2, 5 and 6 lie around the second axis.
  var direction = vec2<f32>(cosine, sine);
  if (((octant + 1u) & 2u) == 2u) { direction = vec2<f32>(sine, cosine); }
  if (octant >= 2u && octant <= 5u) { direction.x = -direction.x; }
  if (octant >= 4u) { direction.y = -direction.y; }
  return direction;
}

fn numbersOf(words : vec2<u32>) -> vec2<f32> {
  return sqrt(2.0 * minusLog(words.x)) * directionOf(words.y);
}
`,
};

/** One thread to a block of two words. */
const DRAW = `
fn main(index : i32) {
  let blocks = (uniforms.length + 1) / 2;
  let row = index / blocks;
  let first = 2 * (index % blocks);
  if (row < uniforms.rows) {
    let numbers = numbersOf(
      threefry(uniforms.cursor + u32(first / 2), uniforms.firstSample + u32(row)));
    let place = row * uniforms.length + first;
    result[place] = numbers.x;
    if (first + 1 < uniforms.length) { result[place + 1] = numbers.y; }
  }
}
`;
