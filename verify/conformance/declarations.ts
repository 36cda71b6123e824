/**
 * What a sampler declares of itself, in a message or on the command line.
 * @module
 */
import type { Declarations } from "../../src/conformance/sampler_under_test.ts";
import { checkFields, checkNumber } from "../../src/input/fields.ts";
import { quoted } from "../../src/input/quoted.ts";
import { scoreSamplerNames } from "../../src/samplers/registry.ts";

/**
 * The declarations of a program's first message, checked.
 * @throws {TypeError | RangeError} For an unknown field, or a value that it cannot have.
 */
export function readDeclarations(value: unknown): Declarations {
  checkFields("declares", value, [], ["order", "process", "evaluationsPerStep", "sampler"]);
  const { order, process, evaluationsPerStep, sampler } = value;
  if (order !== undefined) checkNumber("order in declares", order, { above: 0, most: 20 });
  if (process !== undefined && process !== "sde" && process !== "ode") {
    throw new TypeError(`process in declares must be sde or ode, got ${quoted(process)}`);
  }
  if (evaluationsPerStep !== undefined) {
    checkNumber("evaluationsPerStep in declares", evaluationsPerStep, { above: 0, most: 10_000 });
  }
  if (sampler !== undefined && !(scoreSamplerNames as readonly unknown[]).includes(sampler)) {
    throw new TypeError(
      `sampler in declares must be one of ${scoreSamplerNames.join(", ")}, got ${quoted(sampler)}`,
    );
  }
  return value as Declarations;
}

/** How the command line names the fields of declarations. */
const flagNames = {
  order: "order",
  process: "process",
  evaluations: "evaluationsPerStep",
  sampler: "sampler",
};

/**
 * The declarations of a text such as "order=2,process=sde".
 * @throws {TypeError | RangeError} When it is no such text, or has a value that a declaration cannot have.
 */
export function declared(text: string): Declarations {
  const entries = text.split(",").filter((part) => part !== "").map((part) => {
    const [, name, value] = /^(\w+)=(.+)$/.exec(part) ?? [];
    if (!Object.hasOwn(flagNames, name ?? "")) {
      throw new TypeError(
        `--declare takes ${Object.keys(flagNames).map((name) => `${name}=…`).join(", ")}, got ${
          quoted(part)
        }`,
      );
    }
    const number = name === "order" || name === "evaluations";
    return [flagNames[name as keyof typeof flagNames], number ? Number(value) : value];
  });
  return readDeclarations(Object.fromEntries(entries));
}
