/** Claims about the checks of arguments: what each lets through, and the sentence with which it refuses the rest. @module */
import { checkName } from "../../../src/input/option_name.ts";
import {
  isList,
  requireArray,
  requireBetween,
  requireBoolean,
  requireBytes,
  requireFinite,
  requireFloats,
  requireFunction,
  requireMethods,
  requireNumbers,
  requireOptions,
  requirePositive,
  requireShape,
  requireText,
  requireWhole,
} from "../../../src/input/require.ts";
import { checkRefusals } from "../../instruments/refusals.ts";
import { claim } from "../../suite/claim.ts";

const range = (words: string) => `RangeError: n must be ${words}`;
const holds = (words: string) => `RangeError: n must hold ${words}`;
const type = (words: string) => `TypeError: n must be ${words}`;

claim("an argument's check passes values up to its bounds and names those beyond", (check) => {
  checkRefusals(check, [
    ["finite: −1.5", () => requireFinite("n", -1.5), ""],
    ["finite: ∞", () => requireFinite("n", Infinity), range("a finite number, got Infinity")],
    ["positive: 5e-324", () => requirePositive("n", 5e-324), ""],
    ["positive: 0", () => requirePositive("n", 0), range("a positive number, got 0")],
    ["positive: ∞", () => requirePositive("n", Infinity), range("a positive number, got Infinity")],
    ["positive: text", () => requirePositive("n", "1"), range('a positive number, got "1"')],
    ["1 from 1 to 2", () => requireBetween("n", 1, 1, 2), ""],
    ["2 from 1 to 2", () => requireBetween("n", 2, 1, 2), ""],
    ["1e300 from 1", () => requireBetween("n", 1e300, 1), ""],
    ["∞ from 1", () => requireBetween("n", Infinity, 1), range("a number from 1, got Infinity")],
    ["0.9 from 1 to 2", () => requireBetween("n", 0.9, 1, 2), range("a number from 1 to 2, got 0.9")],
    ["2.1 from 1 to 2", () => requireBetween("n", 2.1, 1, 2), range("a number from 1 to 2, got 2.1")],
    ["whole: 0", () => requireWhole("n", 0), ""],
    ["whole: 2^31 − 1", () => requireWhole("n", 2147483647), ""],
    ["whole: 2^31", () => requireWhole("n", 2147483648), range("at most 2147483647, got 2147483648")],
    ["whole: −1", () => requireWhole("n", -1), range("a whole number from 0, got -1")],
    ["whole from 1: 0", () => requireWhole("n", 0, 1), range("a positive integer, got 0")],
    ["whole from 2: 1.5", () => requireWhole("n", 1.5, 2), range("a whole number from 2, got 1.5")],
    ["whole to 9: 9", () => requireWhole("n", 9, 2, 9), ""],
    ["whole to 9: 10", () => requireWhole("n", 10, 2, 9), range("at most 9, got 10")],
    ["whole to 9: 1", () => requireWhole("n", 1, 2, 9), range("a whole number from 2 to 9, got 1")],
    ["whole to 1e6: 1", () => requireWhole("n", 1, 2, 1e6), range("a whole number from 2, got 1")],
    ["numbers: a list", () => requireNumbers("n", [1, -2]), ""],
    ["numbers: a typed list", () => requireNumbers("n", Float32Array.of(1, -2)), ""],
    ["numbers: the last NaN", () => requireNumbers("n", [1, NaN]), holds("finite numbers, got NaN")],
    ["numbers: a number", () => requireNumbers("n", 7), type("a list of numbers, got 7")],
    [
      "numbers of a kind",
      () => requireNumbers("n", [3, 1], (value) => value > 1, "numbers above 1"),
      holds("numbers above 1, got 1"),
    ],
    ["shape: []", () => requireShape("n", []), ""],
    ["shape: [2, 1]", () => requireShape("n", [2, 1]), ""],
    ["shape: [2, 0]", () => requireShape("n", [2, 0]), holds("whole numbers from 1, got [2, 0]")],
    ["shape from 0: [2, 0]", () => requireShape("n", [2, 0], 0), ""],
    ["shape: [1.5]", () => requireShape("n", [1.5]), holds("whole numbers from 1, got [1.5]")],
    ["shape: 2", () => requireShape("n", 2), type("a list of whole numbers, got 2")],
    ["shape of 2^31 − 1", () => requireShape("n", [2147483647, 1]), ""],
    [
      "shape of 2^31",
      () => requireShape("n", [65536, 32768]),
      "RangeError: n must have fewer than 2^31 entries, got [65536, 32768]",
    ],
  ]);
});

claim("an argument's check refuses values of another type", (check) => {
  const view = new DataView(new ArrayBuffer(2));
  check.equal(
    "lists",
    [[1], new Uint8Array(2), new Float64Array(0), view, { length: 2 }, "ab", null].map(isList),
    [true, true, true, false, false, false, false],
    "arrays and typed arrays",
  );
  const object = { apply() {}, adjoint: 1 };
  checkRefusals(check, [
    ["options: {}", () => requireOptions("n", {}), ""],
    ["options: null", () => requireOptions("n", null), type("an object, got null")],
    ["options: a list", () => requireOptions("n", [1]), type("an object, got [1]")],
    ["options: text", () => requireOptions("n", "a"), type('an object, got "a"')],
    ["array: []", () => requireArray("n", []), ""],
    ["array: typed", () => requireArray("n", Uint8Array.of(1)), type("a list, got [1]")],
    ["text: empty", () => requireText("n", ""), ""],
    ["text: 1", () => requireText("n", 1), type("text, got 1")],
    ["boolean: false", () => requireBoolean("n", false), ""],
    ["boolean: 0", () => requireBoolean("n", 0), type("true or false, got 0")],
    ["function", () => requireFunction("n", () => 1), ""],
    ["function: {}", () => requireFunction("n", {}), type("a function, got an object")],
    ["bytes", () => requireBytes("n", new Uint8Array(1)), ""],
    ["bytes: []", () => requireBytes("n", []), type("bytes, a Uint8Array, got []")],
    ["floats", () => requireFloats("n", new Float32Array(1)), ""],
    [
      "floats: doubles",
      () => requireFloats("n", Float64Array.of(0.5)),
      type("a Float32Array, got [0.5]"),
    ],
    ["methods", () => requireMethods("n", object, ["apply"], "an operator"), ""],
    [
      "a method that is a number",
      () => requireMethods("n", object, ["apply", "adjoint"], "an operator"),
      type("an operator, got an object"),
    ],
    ["methods: null", () => requireMethods("n", null, [], "an operator"), type("an operator, got null")],
    [
      "methods: a function",
      () => requireMethods("n", function vpSde() {}, ["apply"], "an operator"),
      type("an operator, got the function vpSde"),
    ],
    [
      "methods: a function without a name",
      () => requireMethods("n", (() => () => 1)(), ["apply"], "an operator"),
      type("an operator, got the function itself"),
    ],
    ["a name", () => checkName("n", "b", ["a", "b"]), ""],
    ["another name", () => checkName("n", "c", ["a", "b"]), range('"a" or "b", got "c"')],
  ]);
});
