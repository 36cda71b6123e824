/** Claims about tables of numbers: what is read of a CSV file, and how others are refused. @module */
import { readNumberTable } from "../../../src/data/csv.ts";
import { claim } from "../../suite/claim.ts";

claim("tables are read with any separator, with names or without, and with a column of classes", (check) => {
  const cases: [what: string, text: string, column: string | undefined, expected: unknown[]][] = [
    ["commas and names", "x,y\n1,2\n-3.5,4e2\n", undefined, [["x", "y"], [1, 2, -3.5, 400], null]],
    ["no names", "1,2\n3,4", undefined, [["column 1", "column 2"], [1, 2, 3, 4], null]],
    ["Windows and a mark of order", "\ufeffx;y\r\n1;2\r\n", undefined, [["x", "y"], [1, 2], null]],
    ["tabs", "x\ty\n.5\t+1.\n", undefined, [["x", "y"], [0.5, 1], null]],
    ["numpy.savetxt", "# x y\n1.0e+00 2.0e+00\n3.0e+00 4.0e+00\n", undefined, [
      ["column 1", "column 2"],
      [1, 2, 3, 4],
      null,
    ]],
    ["one column", "7\n8\n", undefined, [["column 1"], [7, 8], null]],
    ["empty lines", "\nx\n\n7\n  \n8\n\n", undefined, [["x"], [7, 8], null]],
    ["quotes", 'x,"y, in ""m"""\n"1",2\n', undefined, [["x", 'y, in "m"'], [1, 2], null]],
    ["classes by name", "x,kind,y\n1,a,2\n3,b b,4\n", "kind", [["x", "y"], [1, 2, 3, 4], ["a", "b b"]]],
    ["classes by number, without names", "1,2,Iris-setosa\n3,4,Iris-virginica\n", "3", [
      ["column 1", "column 2"],
      [1, 2, 3, 4],
      ["Iris-setosa", "Iris-virginica"],
    ]],
    ["classes by number, with names", "kind,x\na,1\n", "1", [["x"], [1], ["a"]]],
    ["classes that are numbers", "x,digit\n1,10\n2,9\n", "digit", [["x"], [1, 2], ["10", "9"]]],
    ["a name that is a number", "0,x\n1,5\n", "0", [["x"], [5], ["1"]]],
  ];
  for (const [what, text, column, [columns, values, classes]] of cases) {
    const table = readNumberTable(text, "t.csv", column);
    check.equal(
      what,
      [table.columns, [...table.values], table.classes],
      [columns, values, classes],
      "by eye",
    );
  }
});

claim("tables that cannot be read are refused with the line, the column and the field", async (check) => {
  const cases: [what: string, text: string, message: RegExp, column?: string][] = [
    ["nothing", "", /^t\.csv: it is empty$/],
    ["remarks alone", "# none\n\n", /^t\.csv: it is empty$/],
    ["names alone", "x,y\n", /^t\.csv: it has names of columns and no rows$/],
    ["a short row", "x,y\n1,2\n3\n", /^t\.csv: line 3 has 1 field, line 1 has 2$/],
    ["a long row", "1,2\n\n3,4,5\n", /^t\.csv: line 3 has 3 fields, line 1 has 2$/],
    ["nan", "x,y\n1,nan\n", /^t\.csv: line 2: "y" is "nan", which is no finite number$/],
    ["infinity", "x\n-inf\n", /^t\.csv: line 2: "x" is "-inf", which is no finite number$/],
    ["beyond float64", "1\n1e999\n", /^t\.csv: line 2: column 1 is "1e999", which is no finite number$/],
    ["an empty field", "x,y\n,1\n", /^t\.csv: line 2: "x" is empty, where a number must be$/],
    ["a gap in the first line", "1,,2\n", /^t\.csv: line 1: column 2 is empty, where a number must be$/],
    [
      "text",
      "1,2\n3,abc\n",
      /^t\.csv: line 2: column 2 is "abc", which is no number; a column of classes must/,
    ],
    [
      "classes unasked",
      "1,Iris-setosa\n",
      /^t\.csv: line 1: column 2 is "Iris-setosa", which is no number; a/,
    ],
    [
      "a decimal comma",
      "x;y\n3,14;2\n",
      /^t\.csv: line 2: "x" is "3,14", which is no number \(decimals have a point\)/,
    ],
    ["hexadecimal", "1\n0x10\n", /^t\.csv: line 2: column 1 is "0x10", which is no number/],
    ["no such column", "x,y\n1,2\n", /^t\.csv: there is no column "kind": it has 2, "x", "y"$/, "kind"],
    ["a column beyond the last", "1,2\n", /^t\.csv: there is no column "3": it has 2, /, "3"],
    [
      "classes alone",
      "kind\na\n",
      /^t\.csv: it has no column of numbers beside that of the classes$/,
      "kind",
    ],
    ["a missing class", "x,kind\n1,\n", /^t\.csv: line 2 has no class$/, "kind"],
    [
      "pandas' index",
      ",x\n0,5\n1,7\n2,1\n",
      /^t\.csv: its first column has no name and counts the rows: leave it/,
    ],
  ];
  for (const [what, text, message, column] of cases) {
    await check.throws(what, () => readNumberTable(text, "t.csv", column), message);
  }
  await check.throws(
    "more numbers than are read",
    () => readNumberTable("1,2\n3,4\n", "t.csv", undefined, 3),
    /^t\.csv: it holds more than 3 numbers, which are not read$/,
  );
});
