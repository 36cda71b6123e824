/**
 * What one setting of the playground may be: how it is read from text, as a control or an address has it, and written.
 * @module
 */

/** A setting's default and its text. */
export interface Field<T> {
  /** The value of a setting that is not given. */
  readonly default: T;
  /**
   * The value of a text.
   * @throws {RangeError} for a text that is no value; the message goes on after the setting's name.
   */
  read(text: string): T;
  /** The text that `read` takes back. */
  write(value: T): string;
}

/** The values of a record of fields. */
export type Values<Fields> = {
  -readonly [Name in keyof Fields]: Fields[Name] extends Field<infer T> ? T : never;
};

/** One of some names. */
export function choice<const Name extends string>(names: readonly Name[], standard: Name): Field<Name> {
  return {
    default: standard,
    read(text) {
      const found = names.find((name) => name === text);
      if (found === undefined) {
        throw new RangeError(`must be one of ${names.join(", ")}, got ${quoted(text)}`);
      }
      return found;
    },
    write: (value) => value,
  };
}

/** A whole number. */
export function whole(least: number, most: number, standard: number): Field<number> {
  return {
    default: standard,
    read(text) {
      const value = /^-?\d{1,16}$/.test(text) ? Number(text) : NaN;
      if (value >= least && value <= most) return value;
      throw new RangeError(`must be a whole number from ${least} to ${most}, got ${quoted(text)}`);
    },
    write: String,
  };
}

/** A whole number, or null for none, which is an empty text. */
export function wholeOrNone(least: number, most: number): Field<number | null> {
  const { read } = whole(least, most, least);
  return {
    default: null,
    read: (text) => text === "" ? null : read(text),
    write: (value) => value === null ? "" : String(value),
  };
}

/** A number, kept to three decimals. */
export function real(least: number, most: number, standard: number): Field<number> {
  return {
    default: standard,
    read(text) {
      const value = /^-?(\d{1,6}(\.\d{0,12})?|\.\d{1,12})$/.test(text) ? Number(text) : NaN;
      if (value >= least && value <= most) return rounded(value);
      throw new RangeError(`must be a number from ${least} to ${most}, got ${quoted(text)}`);
    },
    write: (value) => String(rounded(value)),
  };
}

/** Three decimals, without a negative zero. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000 + 0;
}

/** A text as errors show it: in quotation marks, and not longer than a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
