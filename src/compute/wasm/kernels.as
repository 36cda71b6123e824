// AssemblyScript: the element-wise passes that TensorFlow.js' WebAssembly backend has only as many small kernels.
// `deno run -A --no-lock scripts/build/wasm_kernels.ts` compiles this file into kernels_binary.ts. Pointers are byte offsets into the
// backend's own memory, all numbers float32, tensors in C-order.

// ---- exp, four at a time: Cephes' expf, error below 2 ulp; NaN stays NaN ----

@inline
function exp4(x: v128): v128 {
  // pmin and pmax return their first argument where it is NaN. Adding 1.5·2²³ rounds to a whole number in the low bits.
  const bounded = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87)), f32x4.splat(88));
  const shifted = f32x4.add(f32x4.mul(bounded, f32x4.splat(1.44269504)), f32x4.splat(12582912));
  const n = f32x4.sub(shifted, f32x4.splat(12582912));
  const r = f32x4.sub(
    f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375))),
    f32x4.mul(n, f32x4.splat(-2.12194440e-4)),
  );
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  return f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(0x3f800000)));
}

@inline
function sigmoid4(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
}

@inline
function add(p: usize, v: v128, whole: bool): void {
  if (whole) v128.store(p, f32x4.add(v128.load(p), v));
  else f32.store(p, f32.load(p) + f32x4.extract_lane(v, 0));
}

@inline
function load(p: usize, whole: bool): v128 {
  return whole ? v128.load(p) : v128.load32_zero(p);
}

@inline
function store(p: usize, v: v128, whole: bool): void {
  if (whole) v128.store(p, v);
  else f32.store(p, f32x4.extract_lane(v, 0));
}

// ---- group normalization ----

const EPSILON: f64 = 1e-5;

/** Fills mean[c] and inverse[c] (1/√(variance + ε) of the channel's group) for one sample x [positions, channels]. */
function moments(x: usize, mean: usize, inverse: usize, positions: i32, channels: i32, groups: i32): void {
  const row = <usize>channels << 2;
  const whole = (<usize>channels & ~3) << 2;
  const width = channels / groups;
  const count = <f64>(positions * width);
  memory.fill(mean, 0, row);
  memory.fill(inverse, 0, row);
  for (let p = 0, q = x; p < positions; p++, q += row) {
    let i: usize = 0;
    for (; i < whole; i += 16) add(mean + i, v128.load(q + i), true);
    for (; i < row; i += 4) add(mean + i, v128.load32_zero(q + i), false);
  }
  for (let g = 0; g < groups; g++) {
    const start = <usize>(g * width) << 2, end = start + (<usize>width << 2);
    let sum: f64 = 0;
    for (let i = start; i < end; i += 4) sum += f32.load(mean + i);
    for (let i = start; i < end; i += 4) f32.store(mean + i, <f32>(sum / count));
  }
  for (let p = 0, q = x; p < positions; p++, q += row) {
    let i: usize = 0;
    for (; i < whole; i += 16) {
      const d = f32x4.sub(v128.load(q + i), v128.load(mean + i));
      add(inverse + i, f32x4.mul(d, d), true);
    }
    for (; i < row; i += 4) {
      const d = f32x4.sub(v128.load32_zero(q + i), v128.load32_zero(mean + i));
      add(inverse + i, f32x4.mul(d, d), false);
    }
  }
  for (let g = 0; g < groups; g++) {
    const start = <usize>(g * width) << 2, end = start + (<usize>width << 2);
    let squares: f64 = 0;
    for (let i = start; i < end; i += 4) squares += f32.load(inverse + i);
    const value = <f32>(1 / Math.sqrt(squares / count + EPSILON));
    for (let i = start; i < end; i += 4) f32.store(inverse + i, value);
  }
}

@inline
function normalise(x: usize, mean: usize, factor: usize, offset: usize, y: usize, silu: bool, whole: bool): void {
  const centred = f32x4.sub(load(x, whole), load(mean, whole));
  const v = f32x4.add(f32x4.mul(centred, load(factor, whole)), load(offset, whole));
  store(y, silu ? f32x4.mul(v, sigmoid4(v)) : v, whole);
}

/** y = a(x̂·scale + offset); x, y [batch, positions, channels]; scale, offset [rows, channels]; scratch 3·channels. */
export function groupNorm(
  x: usize, scale: usize, offset: usize, y: usize, scratch: usize,
  batch: i32, positions: i32, channels: i32, groups: i32, rows: i32, silu: bool,
): void {
  const row = <usize>channels << 2;
  const whole = (<usize>channels & ~3) << 2;
  const mean = scratch, inverse = scratch + row, factor = inverse + row;
  for (let b = 0; b < batch; b++) {
    moments(x, mean, inverse, positions, channels, groups);
    for (let i: usize = 0; i < row; i += 4) f32.store(factor + i, f32.load(inverse + i) * f32.load(scale + i));
    for (let p = 0; p < positions; p++, x += row, y += row) {
      let i: usize = 0;
      if (silu) {
        for (; i < whole; i += 16) normalise(x + i, mean + i, factor + i, offset + i, y + i, true, true);
        for (; i < row; i += 4) normalise(x + i, mean + i, factor + i, offset + i, y + i, true, false);
      } else {
        for (; i < whole; i += 16) normalise(x + i, mean + i, factor + i, offset + i, y + i, false, true);
        for (; i < row; i += 4) normalise(x + i, mean + i, factor + i, offset + i, y + i, false, false);
      }
    }
    if (rows > 1) {
      scale += row;
      offset += row;
    }
  }
}

/** d = dy·a′; adds d to sum and d·x̂ to product, which belong to one channel (or four). */
@inline
function beforeActivation(
  dy: usize, x: usize, dx: usize, mean: usize, inverse: usize, scale: usize, offset: usize, sum: usize, product: usize,
  silu: bool, whole: bool,
): void {
  const normal = f32x4.mul(f32x4.sub(load(x, whole), load(mean, whole)), load(inverse, whole));
  let d = load(dy, whole);
  if (silu) {
    const v = f32x4.add(f32x4.mul(normal, load(scale, whole)), load(offset, whole));
    const s = sigmoid4(v);
    const one = f32x4.splat(1);
    d = f32x4.mul(d, f32x4.mul(s, f32x4.add(one, f32x4.mul(v, f32x4.sub(one, s)))));
  }
  store(dx, d, whole);
  add(sum, d, whole);
  add(product, f32x4.mul(d, normal), whole);
}

/** dx = d·factor − constant − (x − mean)·slope. */
@inline
function throughMoments(
  x: usize, dx: usize, mean: usize, factor: usize, constant: usize, slope: usize, whole: bool,
): void {
  const centred = f32x4.sub(load(x, whole), load(mean, whole));
  const v = f32x4.sub(f32x4.mul(load(dx, whole), load(factor, whole)), load(constant, whole));
  store(dx, f32x4.sub(v, f32x4.mul(centred, load(slope, whole))), whole);
}

/** Gradients of groupNorm; dScale and dOffset [rows, channels] must hold zeros; scratch 7·channels. */
export function groupNormGrad(
  dy: usize, x: usize, scale: usize, offset: usize, dx: usize, dScale: usize, dOffset: usize, scratch: usize,
  batch: i32, positions: i32, channels: i32, groups: i32, rows: i32, silu: bool,
): void {
  const row = <usize>channels << 2;
  const whole = (<usize>channels & ~3) << 2;
  const width = channels / groups;
  const count = <f64>(positions * width);
  const mean = scratch, inverse = scratch + row, sum = inverse + row, product = sum + row;
  const factor = product + row, constant = factor + row, slope = constant + row;
  for (let b = 0; b < batch; b++) {
    moments(x, mean, inverse, positions, channels, groups);
    memory.fill(sum, 0, row);
    memory.fill(product, 0, row);
    for (let p = 0, q: usize = 0; p < positions; p++, q += row) {
      let i: usize = 0;
      if (silu) {
        for (; i < whole; i += 16) {
          beforeActivation(dy + q + i, x + q + i, dx + q + i, mean + i, inverse + i, scale + i, offset + i,
            sum + i, product + i, true, true);
        }
        for (; i < row; i += 4) {
          beforeActivation(dy + q + i, x + q + i, dx + q + i, mean + i, inverse + i, scale + i, offset + i,
            sum + i, product + i, true, false);
        }
      } else {
        for (; i < whole; i += 16) {
          beforeActivation(dy + q + i, x + q + i, dx + q + i, mean + i, inverse + i, scale + i, offset + i,
            sum + i, product + i, false, true);
        }
        for (; i < row; i += 4) {
          beforeActivation(dy + q + i, x + q + i, dx + q + i, mean + i, inverse + i, scale + i, offset + i,
            sum + i, product + i, false, false);
        }
      }
    }
    for (let g = 0; g < groups; g++) {
      const start = <usize>(g * width) << 2, end = start + (<usize>width << 2);
      let ones: f64 = 0, normals: f64 = 0;
      for (let i = start; i < end; i += 4) {
        ones += <f64>f32.load(scale + i) * f32.load(sum + i);
        normals += <f64>f32.load(scale + i) * f32.load(product + i);
      }
      for (let i = start; i < end; i += 4) {
        const s = <f64>f32.load(inverse + i);
        f32.store(factor + i, <f32>(s * f32.load(scale + i)));
        f32.store(constant + i, <f32>(s * ones / count));
        f32.store(slope + i, <f32>(s * s * normals / count));
      }
    }
    for (let i: usize = 0; i < row; i += 4) {
      f32.store(dScale + i, f32.load(dScale + i) + f32.load(product + i));
      f32.store(dOffset + i, f32.load(dOffset + i) + f32.load(sum + i));
    }
    for (let p = 0; p < positions; p++, x += row, dx += row, dy += row) {
      let i: usize = 0;
      for (; i < whole; i += 16) {
        throughMoments(x + i, dx + i, mean + i, factor + i, constant + i, slope + i, true);
      }
      for (; i < row; i += 4) throughMoments(x + i, dx + i, mean + i, factor + i, constant + i, slope + i, false);
    }
    if (rows > 1) {
      scale += row;
      offset += row;
      dScale += row;
      dOffset += row;
    }
  }
}

// ---- rearrangements around convolutions ----

/** y [p, a, r] from x [a, p, r]. */
export function swapLeading(x: usize, y: usize, a: i32, p: i32, r: i32): void {
  const bytes = <usize>r << 2;
  for (let i = 0; i < a; i++, x += p * bytes) copyRows(x, y + i * bytes, p, bytes, bytes, a * bytes);
}

/** Copies `rows` runs of `bytes` (a multiple of 4), `fromStride` and `toStride` bytes apart. */
export function copyRows(from: usize, to: usize, rows: i32, bytes: usize, fromStride: usize, toStride: usize): void {
  const whole = bytes & ~15;
  for (let n = 0; n < rows; n++, from += fromStride, to += toStride) {
    if (bytes > 1024) {
      memory.copy(to, from, bytes);
    } else { // memory.copy costs a call
      for (let i: usize = 0; i < whole; i += 16) v128.store(to + i, v128.load(from + i));
      for (let i = whole; i < bytes; i += 4) i32.store(to + i, i32.load(from + i));
    }
  }
}

/** y [c, paddedHeight, paddedWidth, b] from x [b, height, width, c], put at (top, left); y must hold zeros. */
export function batchLast(
  x: usize, y: usize, b: i32, height: i32, width: i32, c: i32,
  paddedHeight: i32, paddedWidth: i32, top: i32, left: i32,
): void {
  const sample = <usize>(height * width * c) << 2;
  const plane = <usize>(paddedHeight * paddedWidth * b) << 2;
  const firstRow = max(0, -top), lastRow = min(height, paddedHeight - top);
  const firstColumn = max(0, -left), lastColumn = min(width, paddedWidth - left);
  const b4 = b & ~3, c4 = c & ~3;
  for (let h = firstRow; h < lastRow; h++) {
    for (let w = firstColumn; w < lastColumn; w++) {
      const from = x + (<usize>((h * width + w) * c) << 2);
      const to = y + (<usize>(((h + top) * paddedWidth + w + left) * b) << 2);
      for (let k = 0; k < c4; k += 4) {
        for (let i = 0; i < b4; i += 4) {
          const s = from + i * sample + (<usize>k << 2);
          const r0 = v128.load(s), r1 = v128.load(s + sample);
          const r2 = v128.load(s + 2 * sample), r3 = v128.load(s + 3 * sample);
          const a0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), a1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
          const a2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5), a3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
          const t = to + k * plane + (<usize>i << 2);
          v128.store(t, v128.shuffle<f32>(a0, a2, 0, 1, 4, 5));
          v128.store(t + plane, v128.shuffle<f32>(a0, a2, 2, 3, 6, 7));
          v128.store(t + 2 * plane, v128.shuffle<f32>(a1, a3, 0, 1, 4, 5));
          v128.store(t + 3 * plane, v128.shuffle<f32>(a1, a3, 2, 3, 6, 7));
        }
        for (let i = b4; i < b; i++) {
          for (let l = k; l < k + 4; l++) {
            f32.store(to + l * plane + (<usize>i << 2), f32.load(from + i * sample + (<usize>l << 2)));
          }
        }
      }
      for (let l = c4; l < c; l++) {
        for (let i = 0; i < b; i++) {
          f32.store(to + l * plane + (<usize>i << 2), f32.load(from + i * sample + (<usize>l << 2)));
        }
      }
    }
  }
}

/**
 * Writes part[:, :rows, :columns] of [b, partRows, partColumns, c] to the pixels (strideHeight·i + row,
 * strideWidth·j + column) of y [b, height, width, c].
 */
export function interleave(
  part: usize, y: usize, b: i32, partRows: i32, partColumns: i32, c: i32, rows: i32, columns: i32,
  height: i32, width: i32, row: i32, column: i32, strideHeight: i32, strideWidth: i32,
): void {
  const bytes = <usize>c << 2;
  for (let n = 0; n < b; n++) {
    for (let i = 0; i < rows; i++) {
      const from = part + <usize>((n * partRows + i) * partColumns) * bytes;
      const to = y + <usize>((n * height + strideHeight * i + row) * width + column) * bytes;
      copyRows(from, to, columns, bytes, bytes, strideWidth * bytes);
    }
  }
}

// ---- sums ----

@inline
function addLow(sum: v128, x: v128): v128 {
  return f64x2.add(sum, f64x2.promote_low_f32x4(x));
}

@inline
function addHigh(sum: v128, x: v128): v128 {
  return f64x2.add(sum, f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3)));
}

/** y [outer, inner] = factor · the sums over the middle axis of x [outer, middle, inner], accumulated in float64. */
export function sumMiddle(x: usize, y: usize, outer: i32, middle: i32, inner: i32, factor: f64): void {
  const row = <usize>inner << 2;
  const whole = (<usize>inner & ~3) << 2;
  const block = <usize>middle * row;
  if (inner == 1) {
    const end4 = <usize>(middle & ~3) << 2;
    for (let n = 0; n < outer; n++, x += block, y += 4) {
      let low = f64x2.splat(0), high = low;
      let i: usize = 0;
      for (; i < end4; i += 16) {
        const v = v128.load(x + i);
        low = addLow(low, v);
        high = addHigh(high, v);
      }
      const both = f64x2.add(low, high);
      let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
      for (; i < block; i += 4) sum += f32.load(x + i);
      f32.store(y, <f32>(sum * factor));
    }
    return;
  }
  const scale = f64x2.splat(factor);
  for (let n = 0; n < outer; n++, x += block, y += row) {
    for (let c: usize = 0; c < whole; c += 16) {
      let low = f64x2.splat(0), high = low;
      for (let i = c; i < block; i += row) {
        const v = v128.load(x + i);
        low = addLow(low, v);
        high = addHigh(high, v);
      }
      const l = f32x4.demote_f64x2_zero(f64x2.mul(low, scale));
      const h = f32x4.demote_f64x2_zero(f64x2.mul(high, scale));
      v128.store(y + c, v128.shuffle<f32>(l, h, 0, 1, 4, 5));
    }
    for (let c = whole; c < row; c += 4) {
      let sum: f64 = 0;
      for (let i = c; i < block; i += row) sum += f32.load(x + i);
      f32.store(y + c, <f32>(sum * factor));
    }
  }
}
