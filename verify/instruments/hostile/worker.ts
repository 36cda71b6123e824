/**
 * Calls exported functions with hostile values and says before each call which it is, so that a call that never ends is known
 * by name: its worker can be ended from outside.
 * @module
 */
import * as exported from "./exported.ts";
import { casesOf, type Row } from "./argument.ts";
import { outcomeOf } from "./call.ts";
import { rows } from "./rows.ts";

/** What a worker is asked: a row, and the further numbers. */
export interface Task {
  readonly name: string;
  readonly extra: readonly number[];
}

/** What a worker says. */
export type Word =
  | { readonly kind: "ready" }
  | { readonly kind: "calling"; readonly name: string; readonly label: string }
  | {
    readonly kind: "called";
    readonly name: string;
    readonly label: string;
    readonly outcome: "answered" | "refused";
    readonly wrong?: string;
  }
  | { readonly kind: "finished"; readonly name: string; readonly tensors: boolean };

const scope = self as unknown as {
  postMessage(word: Word): void;
  onmessage: (event: MessageEvent<Task>) => void;
};

/** The exported function, or how the table calls the method. */
export function callOf(name: string, row: Row): (...values: unknown[]) => unknown {
  return (row.call ?? (exported as unknown as Record<string, unknown>)[name]) as (
    ...values: unknown[]
  ) => unknown;
}

scope.onmessage = async ({ data: { name, extra } }) => {
  const row = rows[name];
  const call = callOf(name, row);
  await row.prepare?.();
  const cases = [{
    label: "valid arguments",
    values: () => row.arguments.map((a) => a.make()),
    allowed: true,
  }, ...casesOf(row, extra)];
  for (let at = 0; at < cases.length; at++) {
    const { label } = cases[at];
    scope.postMessage({ kind: "calling", name, label });
    let { kind: outcome, wrong } = await outcomeOf(row, call, cases[at]);
    if (at === 0 && outcome === "refused") wrong ??= "refuses valid arguments";
    scope.postMessage({ kind: "called", name, label, outcome, wrong });
  }
  scope.postMessage({ kind: "finished", name, tensors: row.arguments.some(({ tensor }) => tensor) });
};

await exported.useEngine("wasm");
// A task that comes before this would be lost: nothing listens while the module above is loaded.
scope.postMessage({ kind: "ready" });
