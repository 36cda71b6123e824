/** Claims about values in error messages. @module */
import { printable, quoted, quotedShape } from "../../../src/input/quoted.ts";
import { claim } from "../../suite/claim.ts";

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
