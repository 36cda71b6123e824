/**
 * Command-line flags for the scripts: declared once, checked completely, explained by `--help`. Bad usage is one
 * sentence on stderr and exit code 2; any other failure is one sentence and exit code 1.
 * @module
 */
import { parseArgs } from "node:util";
import { printable } from "../../src/input/quoted.ts";

/** One declared flag. Its name is its key in the declaration, in camelCase there and in kebab-case on the command line. */
export interface Flag<T> {
  /** What the flag does, for `--help`. */
  readonly help: string;
  /** The placeholder of the value in the usage line; null for a switch, which takes no value. */
  readonly placeholder: string | null;
  /** The value when the flag is not given. */
  readonly fallback: T;
  /** Which values it takes. */
  readonly domain: Domain;
  /**
   * The fields of the task's request that it decides, as paths with dots such as "guidance.scale"; where left out, the one of
   * its own name. None for a flag of presentation, such as --json.
   */
  readonly fields?: readonly string[];
  /** The other flag without which this one has no effect and is refused. */
  readonly condition?: Condition;
  /** The keys of other flags that take the place of this one, which is refused beside them. */
  readonly excludedBy?: readonly string[];
  /** The flags by their keys, this one too, that a text of another language stands for; undefined for a text to be parsed. */
  readonly standsFor?: (text: string) => Readonly<Record<string, string>> | undefined;
  /** Reads the value from a text; throws a {@link UsageError} that says which values are allowed. */
  parse(text: string, flag: string): T;
}

/** The values that a flag takes, as data: for claims that give it another one. */
type Domain =
  | { readonly kind: "text" | "toggle" }
  | { readonly kind: "integer" | "number" | "numbers"; readonly min: number; readonly max: number }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  | { readonly kind: "list"; readonly of: Domain }
  /** A syntax of its own; two different values in it. */
  | { readonly kind: "own"; readonly examples: readonly [string, string] };

/** That a flag has one of some values, or is given at all. */
interface Condition {
  /** The other flag's key. */
  readonly key: string;
  /** Its values; where left out, any that is given. */
  readonly values?: readonly string[];
}

/** What a script accepts. */
export interface Usage<F extends Record<string, Flag<unknown>>> {
  /** The name of the task, as in `deno task NAME`. */
  readonly name: string;
  /** One or two sentences on what the script does. */
  readonly purpose: string;
  readonly flags: F;
  /** What follows after the flags, as the usage line has it; by default nothing may. */
  readonly operands?: string;
  /** Keys of flags by the keys that they had in the version before: the old names work, with a line on stderr. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Complete command lines that are worth copying. */
  readonly examples?: readonly string[];
}

/** The values of declared flags. */
export type FlagValues<F> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

/** The command line is wrong: its message is one sentence that names the value and what is allowed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The message of what was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** `--help` was given; the message is the help text. */
export class HelpRequest extends Error {
  override readonly name = "HelpRequest";
}

interface FlagOptions<D> {
  readonly help: string;
  readonly placeholder?: string;
  readonly default?: D;
}

/** A flag with any non-empty text as its value, such as a path. */
export function text<D extends string | undefined = undefined>(options: FlagOptions<D>): Flag<string | D> {
  return {
    help: options.help,
    placeholder: options.placeholder ?? "TEXT",
    domain: { kind: "text" },
    fallback: options.default as D,
    parse(text, flag) {
      if (text === "") throw new UsageError(`${flag} needs a value that is not empty`);
      return text;
    },
  };
}

interface RangeOptions<D> extends FlagOptions<D> {
  readonly min?: number;
  readonly max?: number;
}

/** A flag with a whole number from min to max, both included. */
export function integer<D extends number | undefined = undefined>(
  options: RangeOptions<D>,
): Flag<number | D> {
  const read = (text: string) => /^[+-]?\d+$/.test(text) && Number.isSafeInteger(+text) ? +text : NaN;
  return numeric(options, "integer", "N", "a whole number", read);
}

/** A flag with a finite number from min to max, both included. */
export function number<D extends number | undefined = undefined>(options: RangeOptions<D>): Flag<number | D> {
  const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const read = (text: string) => decimal.test(text) ? Number(text) : NaN;
  return numeric(options, "number", "X", "a number", read);
}

function numeric<D extends number | undefined>(
  options: RangeOptions<D>,
  kind: "integer" | "number",
  placeholder: string,
  noun: string,
  read: (text: string) => number,
): Flag<number | D> {
  const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = options;
  const bounds = [
    options.min === undefined ? "" : ` from ${min}`,
    options.max === undefined
      ? (options.min === undefined ? "" : " up")
      : ` ${options.min === undefined ? "up " : ""}to ${max}`,
  ].join("");
  return {
    help: bounds === "" ? options.help : `${options.help} [${bounds.trim().replace(/^from /, "")}]`,
    placeholder: options.placeholder ?? placeholder,
    domain: { kind, min, max },
    fallback: options.default as D,
    parse(text, flag) {
      const value = read(text);
      if (!(value >= min && value <= max)) {
        throw new UsageError(`${flag} must be ${noun}${bounds}, got "${text}"`);
      }
      return value;
    },
  };
}

interface ChoiceOptions<C, D> extends FlagOptions<D> {
  /** Values by the names that they had in the version before: the old names work, with a line on stderr. */
  readonly renamed?: Readonly<Record<string, NoInfer<C>>>;
}

/** A flag with one of a few named values. */
export function choice<const C extends string, const D extends NoInfer<C> | undefined = undefined>(
  choices: readonly C[],
  options: ChoiceOptions<C, D>,
): Flag<C | D> {
  const renamed = new Map(Object.entries<C>(options.renamed ?? {}));
  return {
    help: options.help,
    placeholder: options.placeholder ?? choices.join("|"),
    domain: { kind: "choice", choices },
    fallback: options.default as D,
    parse(text, flag) {
      const chosen = choices.find((candidate) => candidate === text) ?? renamed.get(text);
      if (chosen === undefined) {
        throw new UsageError(`${flag} must be one of ${choices.join(", ")}, got "${text}"`);
      }
      if (chosen !== text) sayRenamed(`${flag} ${text}`, `${flag} ${chosen}`);
      return chosen;
    },
  };
}

/** A flag with several values of another flag, separated by commas. */
export function list<T>(item: Flag<T>, fallback: readonly NonNullable<T>[]): Flag<readonly NonNullable<T>[]> {
  return {
    help: item.help,
    placeholder: `${item.placeholder},…`,
    domain: { kind: "list", of: item.domain },
    fallback,
    parse: (text, flag) => text.split(",").map((part) => item.parse(part, flag) as NonNullable<T>),
  };
}

/** A flag with numbers from min to max: separated by commas, or FROM:TO:STEP, both ends included. */
export function numbers(options: RangeOptions<readonly number[]>): Flag<readonly number[]> {
  const { default: fallback = [], ...rest } = options;
  const one = number(rest);
  return {
    help: options.help,
    placeholder: options.placeholder ?? "X,…|FROM:TO:STEP",
    domain: { kind: "numbers", min: options.min ?? -Number.MAX_VALUE, max: options.max ?? Number.MAX_VALUE },
    fallback,
    parse(text, flag) {
      if (!text.includes(":")) return text.split(",").map((part) => one.parse(part, flag)!);
      const [from, to, step] = text.split(":").map((part) => number(rest).parse(part, flag)!);
      const count = Math.floor((to - from) / step + 1e-9) + 1;
      if (text.split(":").length !== 3 || !(step > 0) || !(count >= 1 && count <= 10_000)) {
        throw new UsageError(`${flag} must be FROM:TO:STEP, going up, such as 0.1:0.3:0.05, got "${text}"`);
      }
      // 0.1 + 2·0.1 is 0.3, not 0.30000000000000004.
      return Array.from({ length: count }, (_, i) => Number((from + i * step).toPrecision(12)));
    },
  };
}

/** A switch: off unless given, `--name` turns it on; with `default: true`, `--no-name` turns it off. */
export function toggle(options: { readonly help: string; readonly default?: boolean }): Flag<boolean> {
  return {
    help: options.help,
    placeholder: null,
    domain: { kind: "toggle" },
    fallback: options.default ?? false,
    parse: (text) => text === "true",
  };
}

/** A flag that has an effect only where another one has one of some values, or, without values, is given. */
export function onlyWith<T>(flag: Flag<T>, key: string, values?: readonly string[]): Flag<T> {
  return { ...flag, condition: { key, values } };
}

/** Flags in the place of which another one stands: each is refused where that one is given. */
export function notWith<F extends Record<string, Flag<unknown>>>(key: string, flags: F): F {
  return Object.fromEntries(
    Object.entries(flags).map((
      [name, flag],
    ) => [name, { ...flag, excludedBy: [...flag.excludedBy ?? [], key] }]),
  ) as unknown as F;
}

/** The flag as one that decides these fields of the request, by their paths with dots; none for a flag of presentation. */
export function deciding<T>(fields: readonly string[], flag: Flag<T>): Flag<T> {
  return { ...flag, fields };
}

/**
 * Reads a command line; of a flag that is given twice the last value counts. Throws {@link UsageError} for an unknown flag,
 * a value that is missing, forbidden or not expected, a flag that has no effect beside the others, and a stray argument; {@link HelpRequest} for `--help` and `-h`.
 */
export function parseFlags<F extends Record<string, Flag<unknown>>>(
  usage: Usage<F>,
  args: readonly string[],
): FlagValues<F> {
  const keyOf = new Map(Object.keys(usage.flags).map((key) => [kebab(key), key]));
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
  };
  for (const [flag, key] of keyOf) {
    options[flag] = { type: usage.flags[key].placeholder === null ? "boolean" : "string" };
  }
  const renamed = new Map(Object.entries(usage.renamed ?? {}).map(([old, key]) => [kebab(old), key]));
  for (const [flag, key] of renamed) options[flag] = options[kebab(key)];
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  /** What a value of another flag stands for, and whose. */
  const implied = new Map<string, readonly [text: string, source: string]>();
  for (const [key, flag] of Object.entries(usage.flags)) values[key] = flag.fallback;
  for (const token of tokens) {
    if (token.kind === "positional") {
      throw new UsageError(`unexpected argument "${token.value}": ${known(usage)}`);
    }
    if (token.kind === "option-terminator") continue;
    if (token.name === "help") throw new HelpRequest(helpText(usage));
    const negated = token.name.startsWith("no-") &&
      isSwitch(usage, keyOf.get(token.name.slice(3)) ?? renamed.get(token.name.slice(3)));
    const spelled = negated ? token.name.slice(3) : token.name;
    const key = keyOf.get(spelled) ?? renamed.get(spelled);
    if (key === undefined) {
      throw new UsageError(`unknown flag ${token.rawName}: ${known(usage)}`);
    }
    if (renamed.has(spelled)) sayRenamed(`--${spelled}`, flagName(key));
    given.add(key);
    if (isSwitch(usage, key)) {
      if (token.value !== undefined) {
        throw new UsageError(`${token.rawName} takes no value, got "${token.value}"`);
      }
      values[key] = usage.flags[key].parse(String(!negated), token.rawName);
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith("--"))) {
      throw new UsageError(`${token.rawName} needs a value (${usage.flags[key].placeholder})`);
    } else {
      const { [key]: own = token.value, ...others } = usage.flags[key].standsFor?.(token.value) ?? {};
      values[key] = usage.flags[key].parse(own, token.rawName);
      for (const [other, text] of Object.entries(others)) {
        implied.set(other, [text, `${token.rawName} "${token.value}"`]);
      }
    }
  }
  for (const [key, [text, source]] of implied) {
    if (given.has(key)) continue;
    if (!Object.hasOwn(usage.flags, key)) {
      throw new UsageError(
        `${source} stands for ${flagName(key)} ${text}, too, which this task does not have`,
      );
    }
    given.add(key);
    values[key] = usage.flags[key].parse(text, flagName(key));
  }
  for (const key of given) checkCondition(usage, key, values, given);
  return values as FlagValues<F>;
}

function checkCondition(
  { flags }: Usage<Record<string, Flag<unknown>>>,
  key: string,
  values: Readonly<Record<string, unknown>>,
  given: ReadonlySet<string>,
): void {
  const { condition, excludedBy = [] } = flags[key];
  const instead = excludedBy.find((other) => given.has(other));
  if (instead !== undefined) {
    const pair = [key, instead].map((name) => spelling(name, flags[name])).join(" and ");
    throw new UsageError(`${pair} exclude each other: leave one of them out`);
  }
  if (condition === undefined) return;
  const other = spelling(condition.key, flags[condition.key]);
  if (condition.values === undefined) {
    if (!given.has(condition.key)) {
      throw new UsageError(`${spelling(key, flags[key])} is for ${other}, which is not given`);
    }
    return;
  }
  const value = values[condition.key];
  if (condition.values.some((allowed) => allowed === value)) return;
  throw new UsageError(
    `${spelling(key, flags[key])} is for ${other} ${condition.values.join(" or ")}, got ${other} ${value}`,
  );
}

/** The text that `--help` prints. */
export function helpText<F extends Record<string, Flag<unknown>>>(usage: Usage<F>): string {
  const rows = Object.entries(usage.flags).map(([key, flag]) => {
    const left = spelling(key, flag) + (flag.placeholder === null ? "" : ` ${flag.placeholder}`);
    const stated = Array.isArray(flag.fallback) ? flag.fallback.join(",") : flag.fallback;
    const needed = ["string", "number"].includes(typeof stated) && stated !== "" &&
      !flag.help.includes("(default ");
    const fallback = needed ? ` (default ${stated})` : "";
    return [left, flag.help + fallback];
  });
  rows.push(["--help", "print this and stop"]);
  const width = Math.min(28, Math.max(...rows.map(([left]) => left.length)));
  const lines = rows.flatMap(([left, right]) => {
    const [first, ...rest] = wrapped(right, 110 - width - 4).map((line) => `${" ".repeat(width + 4)}${line}`);
    return left.length > width
      ? [`  ${left}`, first, ...rest]
      : [`  ${left.padEnd(width)}  ${first.trimStart()}`, ...rest];
  });
  const links = Object.hasOwn(usage.flags, "output")
    ? ["", "An output is written whole or not at all; one that is a symbolic link is refused."]
    : [];
  const examples = usage.examples === undefined ? [] : ["", ...usage.examples.map((line) => `  ${line}`)];
  const line = [
    "Usage: deno task",
    usage.name,
    "[flags]",
    ...usage.operands === undefined ? [] : [usage.operands],
  ];
  return [usage.purpose, "", line.join(" "), ...examples, "", ...lines, ...links].join("\n");
}

/**
 * Runs a script's main function and turns what it throws into one sentence and an exit code: 0 for `--help`, 2 for
 * bad usage, 1 for any other failure. With SCORE_SDE_DEBUG set, and readable, failures show their stack.
 */
export async function runScript(main: () => Promise<void>): Promise<void> {
  try {
    escapePrinted();
    checkDeno(Deno.version.deno);
    enterCallersFolder();
    await main();
  } catch (error) {
    if (error instanceof HelpRequest) {
      console.log(error.message);
      Deno.exit(0);
    }
    const variable = "SCORE_SDE_DEBUG";
    const readable = Deno.permissions.querySync({ name: "env", variable }).state === "granted";
    if (readable && Deno.env.get(variable)) console.error(error);
    else console.error(`error: ${messageOf(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/**
 * Escapes control characters in all that a task prints from now on: names of files and classes, and texts in checkpoints, may
 * hold some that clear a terminal or turn its text around.
 */
function escapePrinted(): void {
  for (const method of ["log", "error"] as const) {
    const print = console[method].bind(console);
    console[method] = (...values) =>
      print(...values.map((value) => typeof value === "string" ? printable(value) : value));
  }
}

/**
 * Goes to the folder in which the task was called. `deno task` runs commands in the project's folder and tells the caller's by
 * INIT_CWD; paths on the command line, and outputs without a path, are the caller's.
 */
function enterCallersFolder(): void {
  const variable = "INIT_CWD";
  const readable = Deno.permissions.querySync({ name: "env", variable }).state === "granted";
  const folder = readable ? Deno.env.get(variable) : undefined;
  if (folder) Deno.chdir(folder);
}

/** The oldest Deno on which everything here runs: 2.4 has no `Uint8Array.prototype.toHex`. */
export const OLDEST_DENO = "2.5.0";

/** Throws an Error for a version of Deno, such as 2.4.4, that lacks what this project uses. */
export function checkDeno(version: string): void {
  const parts = (text: string) => text.split(/[.+-]/).slice(0, 3).map(Number);
  const [[major, minor], [least, leastMinor]] = [parts(version), parts(OLDEST_DENO)];
  if (major > least || (major === least && minor >= leastMinor)) return;
  throw new Error(`Deno ${OLDEST_DENO} or newer is needed, this is ${version}: deno upgrade`);
}

function sayRenamed(old: string, current: string): void {
  console.error(`${old} is now ${current}; the next version refuses the old name`);
}

/** A flag as it is written on the command line, such as --min-noise for the key minNoise. */
export function flagName(key: string): string {
  return `--${kebab(key)}`;
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function isSwitch(usage: Usage<Record<string, Flag<unknown>>>, key: string | undefined): boolean {
  return key !== undefined && usage.flags[key].placeholder === null;
}

/** Words in lines of at most `width` letters. */
function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** How a flag is spelled on the command line; a switch that is on by default is spelled as what turns it off. */
function spelling(key: string, flag: Flag<unknown>): string {
  return `--${flag.placeholder === null && flag.fallback === true ? "no-" : ""}${kebab(key)}`;
}

function known(usage: Usage<Record<string, Flag<unknown>>>): string {
  const names = Object.entries(usage.flags).map(([key, flag]) => spelling(key, flag));
  return `the flags are ${[...names, "--help"].join(", ")}`;
}
