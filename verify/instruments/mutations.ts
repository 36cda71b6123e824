/** Damage to files: bits turned, bytes lost, doubled and put elsewhere, and numbers in headers replaced by extremes. @module */

/** Draws for mutations, the same for the same seed: a multiply-with-carry generator (Marsaglia 2003). */
export class Draws {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed) * 2_654_435_761n + 1n;
  }

  /** A whole number from 0 to `below` − 1. */
  below(below: number): number {
    this.#state = (this.#state & 0xffff_ffffn) * 4_294_957_665n + (this.#state >> 32n);
    return Number(this.#state & 0xffff_ffffn) % below;
  }

  /** One of a list. */
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** What stands in the place of a value in JSON, as text. */
const EXTREMES = [
  "0",
  "-1",
  "0.5",
  "1e9",
  "2147483648",
  "9007199254740993",
  "1e999",
  "-1e-320",
  "null",
  "true",
  `""`,
  `"1"`,
  "{}",
  "[]",
  "[1]",
  `{"a":1}`,
  "[[[[[[[[1]]]]]]]]",
  `"\\u001b[2J\\u202e${"x".repeat(200)}"`,
  `"constructor"`,
  `"__proto__"`,
  "NaN",
  "[".repeat(2000) + "]".repeat(2000),
];

/** A JSON text with one of its values replaced, doubled or taken out, or a field more. */
export function mutatedJson(text: string, draws: Draws): string {
  const values = [
    ...text.matchAll(
      /(?<=[:[,]\s*)("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|\[[^\][]*\]|\{[^{}]*\})(?=\s*[,}\]])/g,
    ),
  ];
  if (values.length === 0) return draws.of(EXTREMES);
  const { index, 0: value } = draws.of(values);
  const [before, after] = [text.slice(0, index), text.slice(index + value.length)];
  switch (draws.below(8)) {
    case 0:
      return `${before}${value},"more":${draws.of(EXTREMES)}${after}`;
    case 1:
      return text.replace(/"[a-zA-Z]+":/, (name) => `${name}1,${name}`);
    case 2:
      return `${before.replace(/"[a-zA-Z]+":\s*$/, `"other":`)}${value}${after}`;
    case 3:
      // JSON within JSON, as headers have it.
      if (value.startsWith(`"{`)) {
        return before + JSON.stringify(mutatedJson(JSON.parse(value), draws)) + after;
      }
      return before + draws.of(EXTREMES) + after;
    case 4:
      return text.slice(0, draws.below(text.length));
    default:
      if (value.startsWith(`"{`)) {
        return before + JSON.stringify(mutatedJson(JSON.parse(value), draws)) + after;
      }
      return before + draws.of(EXTREMES) + after;
  }
}

/** Bytes with some of them damaged; never those that were given. */
export function mutatedBytes(bytes: Uint8Array, other: Uint8Array, draws: Draws): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  if (copy.length === 0) return Uint8Array.of(draws.below(256));
  // Headers are at the beginning and matter most.
  const at = draws.below(draws.below(2) === 0 ? Math.min(64, copy.length) : copy.length);
  const end = at + draws.below(Math.min(200, copy.length - at) + 1);
  switch (draws.below(7)) {
    case 0:
      for (let turned = draws.below(4); turned >= 0; turned--) {
        copy[draws.below(copy.length)] ^= 1 << draws.below(8);
      }
      return copy;
    case 1:
      return copy.slice(0, at);
    case 2:
      return joined(copy.subarray(0, end), copy.subarray(at));
    case 3:
      return joined(copy.subarray(0, at), other.subarray(draws.below(other.length + 1)));
    case 4:
      return joined(copy.subarray(0, at), copy.subarray(end));
    case 5:
      copy[at] = draws.below(256);
      return copy;
    default: {
      const view = new DataView(copy.buffer);
      const extreme = draws.of([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 1e9, 0x7fc00000, 65_535, 10_000]);
      if (at + 4 <= copy.length) view.setUint32(at, extreme, draws.below(2) === 0);
      else copy[at] ^= 255;
      return copy;
    }
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
