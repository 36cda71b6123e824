/** Claims about the fields of the small files that scripts read, and about numbers that cost time. @module */
import { inputFlag } from "../../../scripts/posterior/inputs.ts";
import { parsePlan } from "../../../scripts/sampling/noise_plan_file.ts";
import { parseJournal, parseRecord } from "../../../scripts/sampling/resumable_npy.ts";
import { claim } from "../../suite/claim.ts";

const plan = {
  format: "score-sde noise plan 2",
  data: "mnist",
  kind: "ncsn",
  largest: 1,
  smallest: 0.01,
  levels: 10,
  moves: 100,
  epsilon: 1e-5,
};

claim("every field of a noise plan is checked, and its counts are bounded", async (check) => {
  const read = (change: object) => () =>
    parsePlan(new TextEncoder().encode(JSON.stringify({ ...plan, ...change })), "it");
  check.equal("as it is", read({})(), plan, "nothing wrong");
  const cases: [change: object, message: RegExp][] = [
    [{ levels: 3e7 }, /levels must be a whole number from 2 to 100000, got 30000000$/],
    [{ levels: "10" }, /levels must be a whole number from 2 to 100000, got "10"$/],
    [{ moves: 1e9 }, /moves must be a whole number from 1 to 100000, got 1000000000$/],
    [{ largest: "1" }, /largest must be a finite number above 0\.01 and up to 10000, got "1"$/],
    [{ largest: 3e7 }, /largest must be a finite number above 0\.01 and up to 10000, got 30000000$/],
    [{ epsilon: 3e7 }, /epsilon must be a finite number above 0 and up to 1, got 30000000$/],
    [{ smallest: 0 }, /smallest must be a finite number from 0\.000001 to 10000, got 0$/],
    [{ epsilon: null }, /epsilon must be a finite number above 0 and up to 1, got null$/],
    [{ epsilon: undefined }, /it has no epsilon$/],
    [{ kind: "NCSN" }, /kind must be "ncsn" or "ncsnv2", got "NCSN"$/],
    [{ data: 7 }, /data must be text, got 7$/],
    [{ speed: 1 }, /it has an unknown field "speed"; its fields are format, /],
    [{ format: "\u001b[2J" }, /it does not say "format": "score-sde noise plan 2"$/],
  ];
  for (const [change, message] of cases) await check.throws(JSON.stringify(change), read(change), message);
});

claim("a damaged record of a run is distinguished from an intact one", async (check) => {
  const batch = JSON.stringify({ samples: 4, sha256: "ab" });
  check.equal(
    "sound",
    parseJournal(`{"seed":1}\n${batch}\n`),
    { run: { seed: 1 }, batches: [{ samples: 4, sha256: "ab" }] },
    "what was written",
  );
  const damaged = [
    "",
    "\n",
    "null\n",
    "[]\n",
    `{"a":{}}\n`,
    `{}\n{}\n`,
    `{}\n{"samples":-1,"sha256":""}\n`,
    `{"a":1,"a":2}\n`,
  ];
  for (const text of damaged) {
    check.equal(JSON.stringify(text), parseJournal(text), null, "no record of batches");
  }
  for (const text of ["", "nul", "null", "[]", `{"a":[]}`, `{"a":1,"a":2}`, "[".repeat(1e5)]) {
    await check.throws(
      `record ${text.slice(0, 20)}`,
      () => parseRecord(text, "it"),
      /^it is no record of a run: it (is not JSON.*|is nested deeper than 32 levels|has .{1,60})$/,
    );
  }
});

claim("--input refuses a sample beyond the number that can be drawn", async (check) => {
  for (const text of ["samples:2147483647", "samples:10000", "samples:9999-10000"]) {
    await check.throws(
      text,
      () => inputFlag.parse(text, "--input"),
      /^--input must name samples below 10000, for all before them are drawn too, got "samples:/,
    );
  }
  check.equal("the last", inputFlag.parse("samples:9999", "--input"), {
    kind: "samples",
    from: 9999,
    to: 9999,
  }, "below 10000");
  check.equal("digits", inputFlag.parse("digits:10000", "--input"), {
    kind: "digits",
    from: 10000,
    to: 10000,
  }, "each is drawn alone");
});
