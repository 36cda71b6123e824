/** Claims about the reading of JSON. @module */
import { parsedField, parseJson } from "../../../src/input/json.ts";
import { checkRefusals } from "../../instruments/refusals.ts";
import { claim } from "../../suite/claim.ts";

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
  checkRefusals(check, [
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
