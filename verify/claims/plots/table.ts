/** Claims about tables that show themselves. @module */
import { table } from "../../../src/plots/table.ts";
import { claim } from "../../suite/claim.ts";

claim(
  "a table aligns words to the left and numbers to the right, and gives a notebook HTML and text",
  async (check) => {
    const rows = [
      { sampler: "heun", steps: 20, error: 0.0012345, "a<b": "x & y" },
      { sampler: "euler-maruyama", steps: 1000, error: null, "a<b": "z" },
    ];
    const shown = table(rows);
    check.equal(
      "text",
      String(shown),
      [
        "sampler         steps    error  a<b",
        "heun               20  0.00123  x & y",
        "euler-maruyama   1000        –  z",
      ].join("\n"),
      "three digits, two spaces between columns",
    );
    check.equal("five digits", table(rows, { digits: 5 }).cells[0][2], "0.0012345", "as asked");
    const display =
      (shown as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")];
    const bundle = display.call(shown);
    check.equal("kinds", Object.keys(bundle), ["text/html", "text/plain"], "media types of a notebook");
    check.equal("plain", bundle["text/plain"], String(shown), "the same text");
    const cells = [...bundle["text/html"].matchAll(/<(t[hd]) style="text-align:(\w+)">([^<]*)</g)].map((
      match,
    ) => match.slice(1));
    const sides = ["left", "right", "right", "left"];
    const wanted = [["sampler", "steps", "error", "a&#60;b"], ["heun", "20", "0.00123", "x &#38; y"], [
      "euler-maruyama",
      "1000",
      "–",
      "z",
    ]]
      .flatMap((row, at) => row.map((cell, column) => [at === 0 ? "th" : "td", sides[column], cell]));
    check.equal("cells of the HTML", cells, wanted, "header and rows, escaped");
    await check.throws(
      "no column",
      () => table([{}]),
      /^the columns of rows must hold at least one entry, got none$/,
    );
    await check.throws("no row", () => table([]), /^rows must hold at least one entry, got none$/);
    await check.throws(
      "other columns",
      () => table([{ a: 1 }, { b: 1 }]),
      /^every row must have the columns a, got \["b"\]$/,
    );
    await check.throws(
      "a list",
      () => table([{ a: [1] as never }]),
      /^the cells of a must be text, numbers or null, got /,
    );
  },
);
