/**
 * The forward passes of the networks, written down once more in float64 from their papers and their parameters' names, for one
 * sample at a time.
 * @module
 */
import {
  type Array64,
  at,
  convolve,
  convolveTransposed,
  map,
  multiply,
  normalizeGroups,
  silu,
  sizeOf,
  softmax,
  tabulate,
  zip,
} from "./float64_operations.ts";

/** A parameter by its name. */
export type Parameter = (name: string) => Array64;

/** The features of a noise level ln ν: cosines, then sines, of angles. */
export function wavesOf(angles: readonly number[]): Array64 {
  return {
    shape: [1, 2 * angles.length],
    values: Float64Array.from([...angles.map(Math.cos), ...angles.map(Math.sin)]),
  };
}

/** x W + b of one row, or without b. */
function dense(p: Parameter, name: string, x: Array64, bias = true): Array64 {
  const weight = p(`${name}.weight`);
  const [from, to] = weight.shape;
  const product = multiply(reshaped(x, 1, 1, from), reshaped(weight, 1, from, to));
  return reshaped(
    bias ? zip(product, reshaped(p(`${name}.bias`), 1, 1, to), (a, b) => a + b) : product,
    1,
    to,
  );
}

const add = (a: Array64, b: Array64) => zip(a, b, (left, right) => left + right);
const reshaped = ({ values }: Array64, ...shape: number[]): Array64 => ({ shape, values });

/** Channels of several arrays [1, H, W, C] one after the other. */
function stacked(...parts: readonly Array64[]): Array64 {
  const [, height, width] = parts[0].shape;
  const depth = parts.reduce((sum, { shape }) => sum + shape[3], 0);
  return tabulate([1, height, width, depth], (_, y, x, c) => {
    let channel = c;
    for (const part of parts) {
      if (channel < part.shape[3]) return at(part, 0, y, x, channel);
      channel -= part.shape[3];
    }
    return NaN;
  });
}

/** A perceptron: the point, the noise features and the class in one row, dense layers with SiLU, and a last one without. */
export function perceptron(p: Parameter, layers: number, row: readonly number[]): Array64 {
  let h: Array64 = { shape: [1, row.length], values: Float64Array.from(row) };
  for (let k = 0; k < layers; k++) h = map(dense(p, `layers.${k}`, h), silu);
  return dense(p, "head", h);
}

/** What the U-Net's layers need to know. */
export interface UNetSizes {
  readonly widths: readonly number[];
  readonly unshuffle: number;
  readonly blocks: number;
  readonly middleBlocks: number;
  readonly groups: number;
  /** Heights at which blocks are followed by attention. */
  readonly attention: readonly number[];
  readonly wavePeriods?: readonly number[];
}

/**
 * The U-Net (Ho et al. 2020, with FiLM by Perez et al. 2018) of one image x [1, H, W, C].
 *
 * @param features [1, F].
 * @param label One-hot [1, classes + 1], or null.
 */
export function unet(
  p: Parameter,
  sizes: UNetSizes,
  x: Array64,
  features: Array64,
  label: Array64 | null,
): Array64 {
  const { widths, unshuffle: fold, blocks, middleBlocks, attention, wavePeriods = [] } = sizes;
  let embedding = dense(p, "embedding.noise2", map(dense(p, "embedding.noise1", features), silu));
  if (label !== null) embedding = add(embedding, dense(p, "embedding.class", label, false));
  embedding = map(embedding, silu);
  const filtered = (name: string, h: Array64, stride = 1) => convolve(h, p(`${name}.weight`), stride, "same");
  const groupsOf = (channels: number) => Math.min(sizes.groups, channels);
  /** γ x̂ + β, times 1 + scale, plus shift. */
  const normalized = (
    name: string,
    h: Array64,
    scale?: (c: number) => number,
    shift?: (c: number) => number,
  ) => {
    const channels = h.shape[3];
    const [gain, offset] = ["weight", "bias"].map((part) => p(`${name}.${part}`).values);
    return normalizeGroups(
      h,
      tabulate([1, channels], (_, c) => gain[c] * (1 + (scale?.(c) ?? 0))),
      tabulate([1, channels], (_, c) => offset[c] * (1 + (scale?.(c) ?? 0)) + (shift?.(c) ?? 0)),
      groupsOf(channels),
    );
  };
  const block = (name: string, h: Array64): Array64 => {
    const first = filtered(`${name}.conv1`, map(normalized(`${name}.norm1`, h), silu));
    const channels = first.shape[3];
    const film = dense(p, `${name}.film`, embedding).values;
    const second = normalized(`${name}.norm2`, first, (c) => film[c], (c) => film[channels + c]);
    const branch = filtered(`${name}.conv2`, map(second, silu));
    return add(h.shape[3] === channels ? h : filtered(`${name}.skip`, h), branch);
  };
  const attended = (name: string, h: Array64): Array64 => {
    const [, height, width, channels] = h.shape;
    const qkv = filtered(`${name}.qkv`, normalized(`${name}.norm`, h));
    const part = (k: number) =>
      tabulate(
        [1, height * width, channels],
        (_, position, c) => qkv.values[position * 3 * channels + k * channels + c],
      );
    const scores = map(multiply(part(0), part(1), true), (value) => value / Math.sqrt(channels));
    const mixed = multiply(softmax(scores), part(2));
    return add(h, filtered(`${name}.project`, reshaped(mixed, 1, height, width, channels)));
  };
  const stage = (name: string, h: Array64): Array64 => {
    const out = block(name, h);
    return attention.includes(out.shape[1]) ? attended(`${name}.attention`, out) : out;
  };
  const [, height, width, channels] = x.shape;
  const folded = (image: Array64) =>
    tabulate(
      [1, height / fold, width / fold, fold * fold * image.shape[3]],
      (_, row, column, c) => {
        const [place, channel] = [Math.floor(c / image.shape[3]), c % image.shape[3]];
        return at(image, 0, fold * row + Math.floor(place / fold), fold * column + place % fold, channel);
      },
    );
  let h = filtered("stem", folded(x));
  if (wavePeriods.length > 0) {
    const turned = (wave: (angle: number) => number, period: number) =>
      map(x, (value) => wave(2 * Math.PI * value / period));
    const waves = folded(
      stacked(...wavePeriods.flatMap((period) => [turned(Math.cos, period), turned(Math.sin, period)])),
    );
    const gate = dense(p, "stem.waves.gate", embedding);
    h = add(
      h,
      filtered("stem.waves", zip(waves, reshaped(gate, 1, 1, 1, gate.values.length), (a, b) => a * b)),
    );
  }
  const skips: Array64[] = [];
  for (let level = 0; level < widths.length - 1; level++) {
    for (let k = 0; k < blocks; k++) skips.push(h = stage(`down.${level}.block.${k}`, h));
    h = filtered(`down.${level}.half`, h, 2);
  }
  for (let k = 0; k < middleBlocks; k++) h = stage(`middle.block.${k}`, h);
  for (let level = widths.length - 2; level >= 0; level--) {
    const small = h;
    const [, rows, columns, depth] = small.shape;
    const doubled = tabulate(
      [1, 2 * rows, 2 * columns, depth],
      (_, y, x, c) => at(small, 0, y >> 1, x >> 1, c),
    );
    h = filtered(`up.${level}.double`, doubled);
    for (let k = 0; k < blocks; k++) h = stage(`up.${level}.block.${k}`, stacked(h, skips.pop()!));
  }
  const bias = p("head.conv.bias");
  const head = add(
    filtered("head.conv", map(normalized("head.norm", h), silu)),
    reshaped(bias, 1, 1, 1, bias.values.length),
  );
  return tabulate(
    [1, height, width, channels],
    (_, y, x, c) =>
      at(head, 0, Math.floor(y / fold), Math.floor(x / fold), (y % fold * fold + x % fold) * channels + c),
  );
}

/**
 * The network of Song's tutorial for one image [1, 28, 28, 1].
 *
 * @param features [1, F] of the time.
 */
export function tutorial(p: Parameter, x: Array64, features: Array64): Array64 {
  const embedding = map(dense(p, "embed", features), silu);
  const finished = (name: string, h: Array64, groups: number) => {
    const channels = h.shape[3];
    const shifted = add(h, reshaped(dense(p, `${name}.time`, embedding), 1, 1, 1, channels));
    const [gain, offset] = ["weight", "bias"].map((part) => reshaped(p(`${name}.norm.${part}`), 1, channels));
    return map(normalizeGroups(shifted, gain, offset, groups), silu);
  };
  const down = (level: number, h: Array64) =>
    finished(
      `down.${level}`,
      convolve(h, p(`down.${level}.conv.weight`), level === 0 ? 1 : 2, "valid"),
      level === 0 ? 4 : 32,
    );
  const up = (level: number, h: Array64, size: number) => {
    const weight = p(`up.${level}.conv.weight`);
    return finished(
      `up.${level}`,
      convolveTransposed(h, weight, [1, size, size, weight.shape[2]], 2, "valid"),
      32,
    );
  };
  const h1 = down(0, x), h2 = down(1, h1), h3 = down(2, h2), h4 = down(3, h3);
  // The tutorial's ConvTranspose2d layers with their output paddings give 5, 12 and 26 pixels.
  let h = stacked(up(3, h4, 5), h3);
  h = stacked(up(2, h, 12), h2);
  h = stacked(up(1, h, 26), h1);
  const last = convolveTransposed(h, p("up.0.conv.weight"), [1, 28, 28, 1], 1, "valid");
  const [bias] = p("up.0.conv.bias").values;
  return { shape: [1, 28, 28, 1], values: last.values.map((value) => value + bias) };
}

/** Tensors of float32 on the host as parameters. */
export function parametersOf(
  specs: readonly { readonly name: string; readonly shape: readonly number[] }[],
  values: (name: string) => ArrayLike<number>,
): Parameter {
  const found = new Map(specs.map(({ name, shape }) => {
    const array = { shape, values: Float64Array.from(values(name)) };
    if (array.values.length !== sizeOf(shape)) throw new RangeError(`${name} has another size`);
    return [name, array] as const;
  }));
  return (name) => {
    const array = found.get(name);
    if (array === undefined) throw new RangeError(`no parameter ${name}`);
    return array;
  };
}
