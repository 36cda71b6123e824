/** One call of an exported function with a hostile value, and what came of it. @module */
import * as tf from "../../../src/compute/tf.ts";
import type { Case, Row } from "./argument.ts";
import { lackingName } from "./named.ts";

/** What came of a call: a sentence where it is not as it should be. */
export interface Outcome {
  readonly kind: "answered" | "refused";
  readonly wrong?: string;
}

/** Sentences of the JavaScript engine and of libraries, which say nothing to a caller. */
const FOREIGN =
  /Cannot (read|convert|destructure|set|mix|access)|is not a function|is not iterable|is not a constructor|is not defined|Maximum call stack|Invalid (array|typed array|array buffer)|Array buffer allocation|Pass at least|Assertion failed|Argument '|memory access|unreachable|object null|Reduce of empty|must be of type|Cannot perform|Offset is|offset is out|out of bounds|\bprototype\b|BigInt|not a valid|undefined \(/;

/** Makes the call and judges what comes of it. */
export async function outcomeOf(
  row: Row,
  call: (...values: unknown[]) => unknown,
  tried: Case,
): Promise<Outcome> {
  const before = tf.memory().numTensors;
  const values = tried.values();
  let answer: unknown;
  let outcome: Outcome;
  try {
    answer = await settled(call(...values));
    outcome = { kind: "answered", wrong: await wrongAnswer(row, call, tried, answer) };
  } catch (error) {
    outcome = { kind: "refused", wrong: wrongRefusal(row, error, tried.field) };
  }
  release(answer);
  release(values);
  const left = tf.memory().numTensors - before;
  if (outcome.wrong !== undefined) return outcome;
  if (left !== 0) return { ...outcome, wrong: `leaves ${left} tensors` };
  const working = tf.tidy(() => tf.tensor1d([1, 2, 3]).add(tf.tensor1d([1, 1, 1])).sum().dataSync()[0]);
  if (working !== 9) return { ...outcome, wrong: `leaves an engine that adds to ${working} instead of 9` };
  return outcome;
}

/** What is wrong with an answer. */
async function wrongAnswer(
  row: Row,
  call: (...values: unknown[]) => unknown,
  tried: Case,
  answer: unknown,
): Promise<string | undefined> {
  if (!tried.allowed) return `answers ${brief(answer)} where it should refuse`;
  const numbers = numbersOf(answer);
  if (row.infinite === undefined) {
    const broken = numbers.find((value) => !Number.isFinite(value));
    if (broken !== undefined) return `answers with ${broken}`;
  }
  if (tried.like === undefined) return undefined;
  const values = tried.like();
  const other = await settled(call(...values));
  const expected = numbersOf(other);
  release(other);
  release(values);
  return String(numbers) === String(expected)
    ? undefined
    : `answers ${brief(numbers)}, and ${brief(expected)} for the same numbers as float32`;
}

/** What is wrong with a refusal. */
function wrongRefusal(row: Row, error: unknown, field?: string): string | undefined {
  if (!(error instanceof Error)) return `throws ${brief(error)}`;
  const { message } = error;
  if (!(error instanceof RangeError || error instanceof TypeError || error.name === row.fails)) {
    return `throws ${error.name}: ${message}`;
  }
  // The longest lists the names of all samplers.
  if (message.length > 600 || /\n/.test(message)) return `throws a message of ${message.length} letters`;
  if (FOREIGN.test(message)) return `throws "${message}"`;
  const lacking = lackingName(message, field);
  if (lacking !== undefined) return `throws "${message}", which ${lacking}`;
  const thrower = /\n\s+at .*/.exec(error.stack ?? "")?.[0] ?? "";
  if (!/\/src\//.test(thrower)) return `throws "${message}" from${thrower.trim().slice(0, 120)}`;
  return undefined;
}

/** The answer at the end: of a promise its value, of a generator the first few things it makes. */
async function settled(answer: unknown): Promise<unknown> {
  const value = await answer;
  if (typeof value !== "object" || value === null || !(Symbol.asyncIterator in value)) return value;
  const made: unknown[] = [];
  for await (const item of value as AsyncIterable<unknown>) {
    made.push(copied(item));
    if (made.length === 3) break;
  }
  return made;
}

/** A step of a generator, whose tensors belong to the generator, or to the caller if it is the last. */
function copied(item: unknown): unknown {
  const step = item as { x?: tf.Tensor; done?: boolean };
  if (!(step?.x instanceof tf.Tensor)) return item;
  const numbers = Array.from(step.x.dataSync());
  if (step.done) step.x.dispose();
  return { ...step, x: numbers };
}

/** All numbers of an answer, those of tensors included. */
function numbersOf(value: unknown, seen = new Set<unknown>()): number[] {
  if (typeof value === "number") return [value];
  if (typeof value !== "object" || value === null || seen.has(value)) return [];
  seen.add(value);
  if (value instanceof tf.Tensor) return Array.from(value.dataSync());
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (value instanceof Map) return [...value.values()].flatMap((item) => numbersOf(item, seen));
  return Object.values(value).flatMap((item) => numbersOf(item, seen));
}

/** Frees tensors, and what says how it is freed. */
function release(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== "object" || value === null || seen.has(value) || ArrayBuffer.isView(value)) return;
  seen.add(value);
  if (value instanceof tf.Tensor) {
    if (!value.isDisposed) value.dispose();
    return;
  }
  const { dispose } = value as { dispose?: unknown };
  if (typeof dispose === "function" && dispose.length === 0) {
    dispose.call(value);
    return;
  }
  for (const item of value instanceof Map ? value.values() : Object.values(value)) release(item, seen);
}

function brief(value: unknown): string {
  let shown: string | undefined;
  try {
    shown = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
  } catch {
    shown = undefined;
  }
  return (shown ?? String(value)).slice(0, 80);
}
