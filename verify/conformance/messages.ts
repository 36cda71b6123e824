/**
 * The messages between the kit and a program whose sampler is measured: lines of JSON, as docs/conformance.md specifies them.
 * What a program writes comes from outside: all of it is checked here, and each fault is one sentence.
 * @module
 */
import type {
  ModelAnswer,
  NoiseLevel,
  RunEnd,
  SamplerDescription,
  SamplerRun,
  States,
} from "../../src/conformance/sampler_under_test.ts";
import { checkFields, checkNumber } from "../../src/input/fields.ts";
import { isObject, parseJson } from "../../src/input/json.ts";
import { quoted } from "../../src/input/quoted.ts";
import { readDeclarations } from "./declarations.ts";

/** The version of the protocol that is spoken here. */
export const protocolVersion = 1;

/** The longest first message in bytes: it has a name and a few words. */
export const longestHello = 65_536;

/** A program broke the protocol, or ended: its message is one sentence for its author. */
export class ProgramFault extends Error {
  override readonly name = "ProgramFault";
}

/** What a program may say. */
export type ProgramMessage =
  | { readonly type: "hello"; readonly description: SamplerDescription }
  | {
    readonly type: "model";
    readonly x: States;
    readonly level: NoiseLevel;
    readonly answer: ModelAnswer;
  }
  | { readonly type: "noise" }
  | { readonly type: "done"; readonly end: RunEnd }
  | { readonly type: "error"; readonly message: string };

/** The shape of a run's states. */
type Shape = readonly [rows: number, dimension: number];

/** The longest message of a program in bytes, in a run with such states: one array in float64, and 64 KiB for its other fields. */
export function longestMessage([rows, dimension]: Shape): number {
  return Math.ceil(rows * dimension * 8 / 3) * 4 + 65_536;
}

/**
 * The message that a line says.
 * @param shape That of the run's states; null for the program's first message.
 * @throws {ProgramFault} When the line is no message, or none that may come then, with what is wrong.
 */
export function readMessage(line: Uint8Array, shape: Shape | null): ProgramMessage {
  const message = parsed(line);
  const { type } = message;
  if (type === "hello" && shape !== null) throw new ProgramFault("the program said hello a second time");
  try {
    if (type === "error") {
      checkFields("the error message", message, ["type", "message"]);
      return { type, message: readText("the error's message", message.message) };
    }
    if (shape === null) {
      if (type === "hello") return { type, description: readHello(message) };
      throw new TypeError(`the program's first message must be hello, got ${quoted(type)}`);
    }
    switch (type) {
      case "model":
        return { type, ...readQuestion(message, shape) };
      case "noise":
        checkFields("the noise message", message, ["type"]);
        return { type };
      case "done":
        return { type, end: readEnd(message, shape) };
    }
  } catch (error) {
    throw new ProgramFault((error as Error).message);
  }
  throw new ProgramFault(
    `a message of the program has the type ${quoted(type)}; use hello, model, noise, done or error`,
  );
}

function parsed(line: Uint8Array): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(line);
  } catch {
    throw new ProgramFault("the program wrote bytes to stdout that are no UTF-8");
  }
  const prose = `the program wrote ${
    quoted(text)
  } to stdout, where only messages go: print it to stderr instead`;
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    const said = (error as Error).message;
    throw new ProgramFault(
      text.startsWith("{") ? `a message of the program ${said}: ${quoted(text)}` : prose,
    );
  }
  if (!isObject(value)) throw new ProgramFault(prose);
  if (typeof value.type !== "string") {
    throw new ProgramFault(`a message of the program has no type: ${quoted(text)}`);
  }
  return value;
}

function readHello(message: Record<string, unknown>): SamplerDescription {
  // A later version may have other fields: what is said first is which version it is.
  if (message.protocol !== protocolVersion) {
    throw new TypeError(
      `the program speaks version ${
        quoted(message.protocol)
      } of the protocol; this kit speaks version ${protocolVersion}`,
    );
  }
  const what = "the hello message";
  checkFields(what, message, ["type", "protocol", "name"], [
    "noise",
    "start",
    "grid",
    "precision",
    "declares",
  ]);
  const { name, noise = "given", start = "given", grid = "given", precision = "float64", declares = {} } =
    message;
  return {
    name: readText("the name in the hello message", name),
    noise: readChoice(`noise in ${what}`, noise, ["given", "own"]),
    start: readChoice(`start in ${what}`, start, ["given", "own"]),
    grid: readChoice(`grid in ${what}`, grid, ["given", "own"]),
    precision: readChoice(`precision in ${what}`, precision, ["float64", "float32"]),
    declares: readDeclarations(declares),
  };
}

function readQuestion(message: Record<string, unknown>, shape: Shape) {
  checkFields("the model message", message, ["type", "x", "answer"], ["time", "sigma", "alpha"]);
  return {
    x: readStates("x of the model message", message.x, shape),
    level: requireLevel("the model message", message),
    answer: readChoice<ModelAnswer>("answer of the model message", message.answer, [
      "noise",
      "denoised",
      "score",
      "velocity",
    ]),
  };
}

function readEnd(message: Record<string, unknown>, shape: Shape): RunEnd {
  checkFields("the done message", message, ["type", "state"], ["time", "sigma", "alpha"]);
  const state = readStates("state of the done message", message.state, shape);
  const stated = ["time", "sigma", "alpha"].some((name) => Object.hasOwn(message, name));
  return stated ? { state, level: requireLevel("the done message", message) } : { state };
}

/** The noise level of a message: a time; or σ, and α beside it where it is not 1. */
function requireLevel(what: string, { time, sigma, alpha }: Record<string, unknown>): NoiseLevel {
  if ((time === undefined) === (sigma === undefined)) {
    throw new TypeError(
      `${what} must have either time or sigma, got ${time === undefined ? "none" : "both"}`,
    );
  }
  if (time !== undefined) {
    if (alpha !== undefined) throw new TypeError(`alpha in ${what} goes with sigma, not with time`);
    checkNumber(`time in ${what}`, time, { least: 0 });
    return { time };
  }
  checkNumber(`sigma in ${what}`, sigma, { least: 0 });
  if (alpha === undefined) return { sigma };
  checkNumber(`alpha in ${what}`, alpha, { above: 0 });
  return { sigma, alpha };
}

/** Words of a program, without line breaks. */
function readText(what: string, value: unknown): string {
  if (typeof value !== "string" || value.trim() === "") {
    throw new TypeError(`${what} must be a text, got ${quoted(value)}`);
  }
  return value.replace(/\s+/g, " ").trim().slice(0, 300);
}

function readChoice<C extends string>(what: string, value: unknown, choices: readonly C[]): C {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new TypeError(`${what} must be one of ${choices.join(", ")}, got ${quoted(value)}`);
}

/** Finite states from an array of a message. */
function readStates(what: string, value: unknown, shape: Shape): States {
  checkFields(what, value, ["shape", "dtype", "data"]);
  const dtype = readChoice(`dtype of ${what}`, value.dtype, ["float64", "float32"]);
  if (JSON.stringify(value.shape) !== JSON.stringify(shape)) {
    throw new TypeError(
      `${what} must have the run's shape ${JSON.stringify(shape)}, got ${JSON.stringify(value.shape)}`,
    );
  }
  const numbers = decoded(what, value.data, dtype);
  const [rows, columns] = shape;
  if (numbers.length !== rows * columns) {
    throw new TypeError(
      `${what} has ${numbers.length} numbers of ${dtype}, its shape needs ${rows * columns}`,
    );
  }
  const wrong = numbers.findIndex((number) => !Number.isFinite(number));
  if (wrong < 0) return numbers;
  throw new TypeError(
    `${what} has ${numbers[wrong]} in row ${Math.floor(wrong / columns)}, column ${wrong % columns}`,
  );
}

/** The numbers of a base64 text, little-endian. */
function decoded(what: string, data: unknown, dtype: "float64" | "float32"): States {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.fromBase64(data as string, { lastChunkHandling: "strict" });
  } catch {
    throw new TypeError(`data of ${what} must be base64, got ${quoted(data)}`);
  }
  const size = dtype === "float64" ? 8 : 4;
  if (bytes.length % size !== 0) {
    throw new TypeError(`data of ${what} has ${bytes.length} bytes, no multiple of ${size} of ${dtype}`);
  }
  const view = new DataView(bytes.buffer);
  return Float64Array.from(
    { length: bytes.length / size },
    (_, i) => size === 8 ? view.getFloat64(8 * i, true) : view.getFloat32(4 * i, true),
  );
}

/** An array of a message, little-endian whatever the machine. */
function encoded(values: Float64Array, shape: readonly number[], dtype: "float64" | "float32") {
  const size = dtype === "float64" ? 8 : 4;
  const view = new DataView(new ArrayBuffer(values.length * size));
  values.forEach((value, i) =>
    size === 8 ? view.setFloat64(8 * i, value, true) : view.setFloat32(4 * i, value, true)
  );
  return { shape, dtype, data: new Uint8Array(view.buffer).toBase64() };
}

/**
 * The message that opens a run, as a line. Its states have the sampler's precision, its grid is in float64.
 * @param index The number of the run in this process, from 0 up.
 */
export function runMessage(run: SamplerRun, index: number, precision: "float64" | "float32"): string {
  const { sde, steps, grid, shape, start, seed } = run;
  const levels = Object.fromEntries(
    (["times", "alphas", "sigmas", "drifts", "diffusions"] as const).map((
      name,
    ) => [name, encoded(grid[name], [steps + 1], "float64")]),
  );
  const state = start === null ? null : encoded(start, shape, precision);
  return line({ type: "run", run: index, sde, steps, ...levels, shape, start: state, seed });
}

/** The message that answers a question of the program, as a line: the model's answer, or normal numbers. */
export function valueMessage(
  type: "answer" | "noise",
  value: States,
  shape: Shape,
  precision: "float64" | "float32",
): string {
  return line({ type, value: encoded(value, shape, precision) });
}

/** The message after the last run, as a line. */
export const endMessage: string = line({ type: "end" });

function line(message: unknown): string {
  return `${JSON.stringify(message)}\n`;
}
