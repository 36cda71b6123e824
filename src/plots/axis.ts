/** From data to screen: linear and logarithmic axes with readable ticks. @module */
import { requireOptions, requireText } from "../input/require.ts";
import { quoted } from "../input/quoted.ts";
import { checkName } from "../input/option_name.ts";

/** Options of an axis. */
export interface AxisOptions {
  /** The label, a quantity with its unit. */
  readonly label?: string;
  /** Default "linear". On a logarithmic axis values that are not positive are left out. */
  readonly scale?: "linear" | "log";
  /** Lower end of the axis; by default the data's, with a margin. */
  readonly min?: number;
  /** Upper end of the axis; by default the data's, with a margin. */
  readonly max?: number;
}

/** A tick: its value and its label. */
interface Tick {
  /** The value in data units. */
  readonly value: number;
  /** The label. */
  readonly text: string;
}

/** An axis fitted to data. */
export interface Axis {
  /** The label. */
  readonly label: string;
  /** Data to [0, 1]; NaN for values that are not positive on a logarithmic axis. */
  fraction(value: number): number;
  /** The ticks in increasing order. */
  readonly ticks: readonly Tick[];
}

/**
 * Fits an axis to data.
 *
 * @param data All values to be shown; values that are not finite are ignored.
 * @throws {RangeError} When max does not exceed min, or an end of a logarithmic axis is not positive.
 */
export function fitAxis(data: Iterable<number>, options: AxisOptions = {}): Axis {
  requireOptions("an axis", options);
  if (options.label !== undefined) requireText("the label of an axis", options.label);
  checkName("the scale of an axis", options.scale === undefined ? "linear" : options.scale, [
    "linear",
    "log",
  ]);
  const log = options.scale === "log";
  for (const end of [options.min, options.max]) {
    if (end !== undefined && (!Number.isFinite(end) || (log && end <= 0))) {
      throw new RangeError(`an end of a ${log ? "logarithmic" : "linear"} axis cannot be ${quoted(end)}`);
    }
  }
  const [forward, backward] = log
    ? [Math.log10, (v: number) => 10 ** v]
    : [(v: number) => v, (v: number) => v];
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    const place = forward(value);
    if (!Number.isFinite(place)) continue;
    low = Math.min(low, place);
    high = Math.max(high, place);
  }
  if (low > high) [low, high] = [0, 1];
  const margin = high > low ? .04 * (high - low) : log ? .5 : Math.abs(high) * .1 || 1;
  const from = options.min === undefined ? low - margin : forward(options.min);
  const to = options.max === undefined ? high + margin : forward(options.max);
  if (from >= to) throw new RangeError(`max must exceed min, got ${backward(to)} ≤ ${backward(from)}`);
  return {
    label: options.label ?? "",
    fraction: (value) => (forward(value) - from) / (to - from),
    ticks: log ? logTicks(from, to) : linearTicks(from, to),
  };
}

/** Multiples of 1, 2 or 5 times a power of ten, three to nine of them. */
function linearTicks(from: number, to: number): Tick[] {
  const rough = (to - from) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10);
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const value = (first + i) * step;
    return { value, text: number(value) };
  });
}

/** Powers of ten, thinned to nine at most; over less than two decades also 2 and 5 times them. */
function logTicks(from: number, to: number): Tick[] {
  const factors = to - from < 2 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil((to - from) / 8));
  const ticks: Tick[] = [];
  for (let power = Math.floor(from); power <= to; power++) {
    for (const factor of factors) {
      const place = power + Math.log10(factor);
      if (place < from || place > to || power % stride !== 0) continue;
      ticks.push({
        value: 10 ** place,
        text: factor === 1 ? powerOfTen(power) : number(factor * 10 ** power),
      });
    }
  }
  return ticks;
}

function powerOfTen(power: number): string {
  if (power >= -1 && power <= 3) return number(10 ** power);
  return `10${[...String(power)].map((sign) => sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(sign)]).join("")}`;
}

function number(value: number): string {
  return String(Number(value.toPrecision(6))).replace("-", "−");
}
