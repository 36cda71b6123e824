/** Claims about the checks of arguments and fields: what each lets through, and the sentence with which it refuses the rest. @module */
import { checkFields, checkNumber, checkNumbers } from "../../../src/input/fields.ts";
import { parsedField, parseJson } from "../../../src/input/json.ts";
import { checkName } from "../../../src/input/option_name.ts";
import { printable, quoted, quotedShape } from "../../../src/input/quoted.ts";
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
import {
  requireDataset,
  requireDistribution,
  requireLabels,
  requireModel,
  requireNetworkPredictor,
  requireNoisePredictor,
  requirePicture,
  requirePlaneDistribution,
  requireRng,
  requireSampler,
  requireSde,
  requireSome,
} from "../../../src/input/require_parts.ts";
import { type Check, claim } from "../../suite/claim.ts";

/** What is tried, and the kind and the words of the refusal; "" where nothing is refused. */
type Case = readonly [what: string, action: () => unknown, refusal: string];

const range = (words: string) => `RangeError: n must be ${words}`;
const holds = (words: string) => `RangeError: n must hold ${words}`;
const type = (words: string) => `TypeError: n must be ${words}`;

function checkCases(check: Check, cases: readonly Case[]): void {
  for (const [what, action, expected] of cases) {
    let refusal = "";
    try {
      action();
    } catch (error) {
      refusal = String(error);
    }
    check.equal(what, refusal, expected, "one sentence with the value and what is allowed, written out");
  }
}

claim("an argument's check passes values up to its bounds and names those beyond", (check) => {
  checkCases(check, [
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
  checkCases(check, [
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

claim("an argument that is made of parts must have each of them", (check) => {
  /** The requirement holds for an object with these methods, and for none that lacks one of them. */
  const parts: readonly [
    what: string,
    require: (name: string, value: unknown) => void,
    methods: readonly string[],
    words: string,
  ][] = [
    [
      "an SDE",
      requireSde,
      ["alpha", "sigma", "driftCoefficient", "diffusionCoefficient"],
      "an SDE, as vpSde() makes it",
    ],
    [
      "a noise predictor",
      requireNoisePredictor,
      ["predictNoise"],
      "a noise predictor, with a method predictNoise(y, noiseRatio)",
    ],
    [
      "a network's predictor",
      requireNetworkPredictor,
      ["predictNoise", "withLabels", "prepare", "calls"],
      "a network's noise predictor, as networkPredictor() makes it",
    ],
    [
      "a distribution",
      requireDistribution,
      ["sample", "predictNoise", "logDensity"],
      "an exact distribution, such as a GaussianMixture",
    ],
    ["a generator", requireRng, ["normal", "fork"], "a generator, as createRng(seed) makes it"],
    ["a sampler", requireSampler, ["start"], "a sampler, as dpmSolver2M() makes it"],
  ];
  const having = (methods: readonly string[]) =>
    Object.fromEntries(methods.map((method) => [method, () => {}]));
  const cases: Case[] = [];
  for (const [what, require, methods, words] of parts) {
    cases.push([what, () => require("n", having(methods)), ""]);
    for (const lacking of methods) {
      const rest = methods.filter((method) => method !== lacking);
      cases.push([
        `${what} without ${lacking}`,
        () => require("n", having(rest)),
        type(`${words}, got an object`),
      ]);
    }
  }
  const model = "a score model, as scoreModel(noisePredictor, sde) makes it, got ";
  const [score, sde] = [having(["predictedNoise", "score"]), having(["alpha", "sigma"])];
  const plane = having(["sample", "predictNoise", "logDensity"]);
  const set = (change: object) => ({
    count: 2,
    shape: [1, 2, 1],
    images: new Uint8Array(4),
    labels: new Uint8Array(2),
    ...change,
  });
  const noSet = "a data set of images, as idxDataset() makes it, got an object";
  const sized = (bytes: number, got: number) =>
    `RangeError: n must have [height, width, channels] and ${bytes} bytes for each of 2 images, got ${got}`;
  const picture = { width: 2, height: 3, data: new Uint8Array(24) };
  checkCases(check, [
    ...cases,
    ["a model", () => requireModel("n", { ...score, sde }), ""],
    [
      "a model without score",
      () => requireModel("n", { ...score, score: 0, sde }),
      type(`${model}an object`),
    ],
    [
      "a model without noise",
      () => requireModel("n", { score: score.score, sde }),
      type(`${model}an object`),
    ],
    ["a model without SDE", () => requireModel("n", score), type(`${model}undefined`)],
    [
      "a model of half an SDE",
      () => requireModel("n", { ...score, sde: { alpha() {} } }),
      type(`${model}an object`),
    ],
    [
      "a model of the other half",
      () => requireModel("n", { ...score, sde: { sigma() {} } }),
      type(`${model}an object`),
    ],
    ["in the plane", () => requirePlaneDistribution("n", { ...plane, dimension: 2 }), ""],
    [
      "in space",
      () => requirePlaneDistribution("n", { ...plane, dimension: 3 }),
      "RangeError: the dimension of n must be at most 2, got 3",
    ],
    [
      "on a line",
      () => requirePlaneDistribution("n", { ...plane, dimension: 1 }),
      "RangeError: the dimension of n must be a whole number from 2 to 2, got 1",
    ],
    [
      "nowhere",
      () => requirePlaneDistribution("n", { dimension: 2 }),
      type("an exact distribution, such as a GaussianMixture, got an object"),
    ],
    ["a data set", () => requireDataset("n", set({})), ""],
    ["a data set with bytes to spare", () => requireDataset("n", set({ images: new Uint8Array(5) })), ""],
    ["a data set of none", () => requireDataset("n", set({ count: 0, images: new Uint8Array(0) })), ""],
    ["a byte too few", () => requireDataset("n", set({ images: new Uint8Array(3) })), sized(2, 3)],
    ["two axes", () => requireDataset("n", set({ shape: [1, 2] })), sized(2, 4)],
    ["images as a list", () => requireDataset("n", set({ images: [1, 2, 3, 4] })), type(noSet)],
    ["labels as a list", () => requireDataset("n", set({ labels: [1, 2] })), type(noSet)],
    ["no data set", () => requireDataset("n", null), type(noSet.replace("an object", "null"))],
    [
      "half an image",
      () => requireDataset("n", set({ count: 1.5 })),
      "RangeError: the count of n must be a whole number from 0, got 1.5",
    ],
    [
      "no width",
      () => requireDataset("n", set({ shape: [1, 0, 1] })),
      "RangeError: the shape of n must hold whole numbers from 1, got [1, 0, 1]",
    ],
    ["a label each", () => requireLabels("n", { count: 2, labels: new Uint8Array(2) }), ""],
    [
      "a label too few",
      () => requireLabels("n", { count: 2, labels: new Uint8Array(1) }),
      "RangeError: n must have a label for each of 2 images, got 1",
    ],
    ["a picture", () => requirePicture("n", picture), ""],
    [
      "a picture without data",
      () => requirePicture("n", { width: 1, height: 2, data: [0] }),
      type("a picture of width, height and data, got an object"),
    ],
    ["no picture", () => requirePicture("n", null), type("a picture of width, height and data, got null")],
    [
      "a picture of no width",
      () => requirePicture("n", { ...picture, width: 0 }),
      "RangeError: the width of n must be a positive integer, got 0",
    ],
    [
      "a picture of no height",
      () => requirePicture("n", { ...picture, height: 0 }),
      "RangeError: the height of n must be a positive integer, got 0",
    ],
    [
      "a picture with a byte too many",
      () => requirePicture("n", { ...picture, data: new Uint8Array(25) }),
      "RangeError: n of 2×3 must have 24 bytes, got 25",
    ],
    ["some", () => requireSome("n", [0]), ""],
    ["none", () => requireSome("n", []), "RangeError: n must hold at least one entry, got none"],
    ["no list", () => requireSome("n", "a"), type('a list, got "a"')],
  ]);
});

claim("a field's check passes what its range holds, and says the range of what it refuses", (check) => {
  const number = (bounds: Parameters<typeof checkNumber>[2], ...values: unknown[]) =>
    values.map((value): Case => [
      `${JSON.stringify(bounds)}: ${value}`,
      () => checkNumber("n", value, bounds),
      "",
    ]);
  const refused = (bounds: Parameters<typeof checkNumber>[2], value: unknown, words: string): Case => [
    `${JSON.stringify(bounds)}: ${value}`,
    () => checkNumber("n", value, bounds),
    range(`${words}, got ${value}`),
  ];
  checkCases(check, [
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

claim("JSON is read as JSON.parse reads it, but no name twice and no more than 32 levels", (check) => {
  const texts = [
    "null",
    "1e3",
    '"a:{\\"b"',
    '{"a":{"a":[1,{"a":2},{"a":3}]},"b":"a"}',
    '[{"a":1},{"a":2}]',
    '{"a\\\\":1,"a":2}',
    '{"\\u0061b":1,"a":2}',
    `${"[".repeat(32)}1${"]".repeat(32)}`,
    `[${"[[]],".repeat(40)}1]`,
  ];
  for (const text of texts) check.equal(text, parseJson(text), JSON.parse(text), "JSON.parse");
  checkCases(check, [
    ["a name twice", () => parseJson('{"a":1,"b":2,"a":3}'), 'TypeError: has the name "a" twice'],
    ["a name twice, inside", () => parseJson('[0,{"b":{"a":1,"a":1}}]'), 'TypeError: has the name "a" twice'],
    [
      "one name in two spellings",
      () => parseJson('{"a":1,"\\u0061":3}'),
      'TypeError: has the name "a" twice',
    ],
    [
      "a name that came before an object",
      () => parseJson('{"a":{"b":1},"a":1}'),
      'TypeError: has the name "a" twice',
    ],
    ["33 levels", () => parseJson("[".repeat(33)), "TypeError: is nested deeper than 32 levels"],
    [
      "33 levels of objects",
      () => parseJson('{"a":'.repeat(33)),
      "TypeError: is nested deeper than 32 levels",
    ],
    ["a wrong letter", () => parseJson("[1 2]"), "TypeError: is not JSON: it goes wrong at character 3"],
    ["half a text", () => parseJson('{"a'), "TypeError: is not JSON: it goes wrong at character 3"],
    ["nothing", () => parseJson(""), "TypeError: is not JSON"],
    ["a field", () => parsedField("n", "[1]"), ""],
    ["a field that is not there", () => parsedField("n", undefined), "TypeError: n is missing"],
    ["a field that is empty", () => parsedField("n", ""), "TypeError: n is not JSON"],
  ]);
  check.equal("a field's value", parsedField("n", "[1]"), [1], "JSON.parse");
});

claim("a value is quoted in at most one short line of printable letters", (check) => {
  const long = "x".repeat(81);
  const rows: readonly [value: unknown, expected: string][] = [
    ["a", '"a"'],
    [long.slice(1), `"${long.slice(1)}"`],
    [long, `"${long.slice(2)}…"`],
    ['"\n', '"\\"\\n"'],
    ["\u001b[2J", '"\\u001b[2J"'],
    ["\u202e\u2028\u2029", '"\\u202e\\u2028\\u2029"'],
    ["\u{e0001}", '"\\udb40\\udc01"'],
    ["é", '"é"'],
    [1.5, "1.5"],
    [-0, "0"],
    [null, "null"],
    [undefined, "undefined"],
    [10n ** 90n, `1${"0".repeat(79)}`],
    [Symbol("a"), "a symbol"],
    [() => 1, "a function"],
    [{ a: 1 }, "an object"],
    [new DataView(new ArrayBuffer(1)), "an object"],
    [[], "[]"],
    [[1, "a", null, [2], {}], '[1, "a", null, …, …]'],
    [[long], `["${"x".repeat(19)}…"]`],
    [Float32Array.of(1, 0.5), "[1, 0.5]"],
    [[1, 2, 3, 4, 5, 6, 7, 8], "[1, 2, 3, 4, 5, 6, 7, 8]"],
    [new Uint8Array(9), "a list of 9"],
    [
      new Proxy([], {
        get() {
          throw new Error("no");
        },
      }),
      "an object",
    ],
  ];
  for (const [value, expected] of rows) {
    check.equal(expected, quoted(value), expected, "JSON's letters, control characters as JSON escapes them");
  }
  check.equal("as short as is asked for", quoted("abcdef", 4), '"abc…"', "three letters and a mark");
  check.equal("lines stay", printable("a\nb\u0007\u0085"), "a\nb\\u0007\\u0085", "four digits, in base 16");
  check.equal("a shape", quotedShape([2, 3]), "[2, 3]", "written out");
  check.equal("eight axes", quotedShape([1, 2, 3, 4, 5, 6, 7, 8]), "[1, 2, 3, 4, 5, 6, 7, 8]", "written out");
  check.equal(
    "nine axes",
    quotedShape([1, 2, 3, 4, 5, 6, 7, 8, 9]),
    "[1, 2, 3, 4, 5, 6, 7, 8, …]",
    "the first eight",
  );
  check.equal("no list", quotedShape(7 as unknown as number[]), "7", "as any value");
});
