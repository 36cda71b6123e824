/** Claims about the checks of fields of files and requests: what each lets through, and the range that it names. @module */
import { checkFields, checkNumber, checkNumbers } from "../../../src/input/fields.ts";
import { checkRefusals, type RefusalCase } from "../../instruments/refusals.ts";
import { claim } from "../../suite/claim.ts";

const range = (words: string) => `RangeError: n must be ${words}`;
const type = (words: string) => `TypeError: n must be ${words}`;

claim("a field's check passes what its range holds, and says the range of what it refuses", (check) => {
  const number = (bounds: Parameters<typeof checkNumber>[2], ...values: unknown[]) =>
    values.map((value): RefusalCase => [
      `${JSON.stringify(bounds)}: ${value}`,
      () => checkNumber("n", value, bounds),
      "",
    ]);
  const refused = (bounds: Parameters<typeof checkNumber>[2], value: unknown, words: string): RefusalCase => [
    `${JSON.stringify(bounds)}: ${value}`,
    () => checkNumber("n", value, bounds),
    range(`${words}, got ${value}`),
  ];
  checkRefusals(check, [
    ...number({}, -1.5, 1e300),
    refused({}, Infinity, "a finite number"),
    refused({}, null, "a finite number"),
    ...number({ least: 1, most: 2 }, 1, 1.5, 2),
    refused({ least: 1, most: 2 }, 0.9, "a finite number from 1 to 2"),
    refused({ least: 1, most: 2 }, 2.1, "a finite number from 1 to 2"),
    ...number({ above: 0, below: 1 }, 0.1, 0.9),
    refused({ above: 0, below: 1 }, 0, "a finite number above 0 and below 1"),
    refused({ above: 0, below: 1 }, 1, "a finite number above 0 and below 1"),
    refused({ above: 0, most: 1 }, 0, "a finite number above 0 and up to 1"),
    refused({ above: 2 }, 2, "a finite number above 2"),
    refused({ above: 0 }, 0, "a positive number"),
    refused({ above: 0, whole: true }, 0, "a whole number above 0"),
    refused({ below: 1 }, 1, "a finite number below 1"),
    refused({ most: 1 }, 2, "a finite number up to 1"),
    refused({ least: 2 }, 1, "a finite number from 2 up"),
    refused({ least: 1 }, 0, "a finite number from 1 up"),
    ...number({ least: 1, whole: true }, 1, 9007199254740991),
    refused({ least: 1, whole: true }, 0, "a positive integer"),
    refused({ least: 1, most: 5, whole: true }, 0, "a whole number from 1 to 5"),
    refused({ least: 1, below: 5, whole: true }, 5, "a whole number from 1 and below 5"),
    refused({ least: 0, whole: true }, 0.5, "a whole number from 0 up"),
    refused({ least: 0, whole: true }, 9007199254740992, "a whole number from 0 up"),
    ["numbers", () => checkNumbers("n", [1, 2], { least: 1 }), ""],
    [
      "the second of numbers",
      () => checkNumbers("n", [1, 0], { least: 1 }),
      "RangeError: each of n must be a finite number from 1 up, got 0",
    ],
    ["numbers: typed", () => checkNumbers("n", Float32Array.of(1)), type("a list of numbers, got [1]")],
    ["fields", () => checkFields("n", { a: 1, b: 2 }, ["a"], ["b"]), ""],
    ["without the optional", () => checkFields("n", { a: 1 }, ["a"], ["b"]), ""],
    ["a missing field", () => checkFields("n", { b: 1 }, ["a"], ["b"]), "TypeError: n has no a"],
    [
      "an unknown field",
      () => checkFields("n", { a: 1, c: 1 }, ["a"], ["b"]),
      'TypeError: n has an unknown field "c"; its fields are a, b',
    ],
    [
      "an unknown field of what has no optional ones",
      () => checkFields("n", { a: 1, b: 1 }, ["a"]),
      'TypeError: n has an unknown field "b"; its fields are a',
    ],
    [
      "an inherited field",
      () => checkFields("n", {}, ["toString"]),
      "TypeError: n has no toString",
    ],
    ["fields of a list", () => checkFields("n", [], []), type("an object, got []")],
    ["fields of null", () => checkFields("n", null, []), type("an object, got null")],
    ["fields of text", () => checkFields("n", "a", []), type('an object, got "a"')],
  ]);
});
