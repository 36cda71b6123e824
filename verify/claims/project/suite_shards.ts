/** Claims about the suite in parts on several machines: verify --shard and verify:join. @module */
import { run } from "../../instruments/run_task.ts";
import { withSmallSuite } from "../../instruments/small_suite.ts";
import { claim } from "../../suite/claim.ts";
import { areaOf, claimFiles } from "../../suite/claim_files.ts";
import type { Verdict } from "../../suite/examine.ts";
import { filesOfShard, type Seconds } from "../../suite/file_order.ts";
import { joinShards, type ShardRun } from "../../suite/shards.ts";
import { totalsOf } from "../../suite/totals.ts";

const recorded: Seconds = JSON.parse(
  await Deno.readTextFile(new URL("../../suite/seconds.json", import.meta.url)),
);

/** The files of all shards of a division. */
function division(files: readonly string[], shards: number, seconds?: Seconds): string[][] {
  return Array.from({ length: shards }, (_, i) => filesOfShard(files, { index: i + 1, shards }, seconds));
}

claim("1 to 8 shards have every claim file once, and none the time of much more than its part", (check) => {
  const files = claimFiles();
  const load = (part: readonly string[]) =>
    part.reduce((sum, file) => sum + (recorded[areaOf(file)] ?? 0.5), 0);
  const longest = Math.max(...files.map((file) => load([file])));
  for (let shards = 1; shards <= 8; shards++) {
    const parts = division(files, shards);
    check.equal(`${shards} shards: files`, parts.flat().sort(), files, "every claim is in one file");
    const best = Math.max(load(files) / shards, longest);
    check.atMost(
      `${shards} shards: seconds of the longest`,
      Math.max(...parts.map(load)),
      (4 / 3 - 1 / (3 * shards)) * best,
      "Graham 1969, theorem 2, with the least that any division could have: the mean, or the longest file",
    );
  }
  const few = ["a.ts", "b.ts", "c.ts", "d.ts", "e.ts"];
  check.equal(
    "files of 8, 4, 3, 3 and 2 seconds on two shards",
    division(few, 2, { a: 8, b: 4, c: 3, d: 3, e: 2 }),
    [["a.ts", "e.ts"], ["b.ts", "c.ts", "d.ts"]],
    "each to the shard with the least to do: 8 and 4 + 3 + 3, then 2 to the first",
  );
  check.equal("more shards than files", division(few, 7, {}).map((part) => part.length), [
    1,
    1,
    1,
    1,
    1,
    0,
    0,
  ], "");
});

/** A shard of two, with a claim that fails by chance once in 1e9 or 2e9 runs. */
function shardRun(index: number, changes: Partial<ShardRun> = {}): ShardRun {
  const verdict: Verdict = {
    area: `a/${index}`,
    name: `claim ${index}`,
    engine: "wasm",
    outcome: "passed",
    milliseconds: 1,
    comparisons: [{ what: "", observed: "", bound: "", source: "", held: true, alarmRate: index * 1e-9 }],
    plots: [],
    tables: [],
  };
  const [verdicts, seed] = [[verdict], 3];
  return {
    index,
    shards: 2,
    tree: "abc",
    options: { areas: "", filter: "", engine: null, thorough: false, changed: true, seed },
    run: {
      verdicts,
      totals: totalsOf(verdicts, seed, 10 * index),
      command: "deno task verify",
      when: `2026-01-0${index}T00:00:00Z`,
      commit: "abc",
    },
    ...changes,
  };
}

claim(
  "verify:join refuses shards of other sources, options or numbers, missing ones and doubled ones",
  async (check) => {
    const [first, second] = [shardRun(1), shardRun(2)];
    const refused: readonly (readonly [what: string, shards: readonly ShardRun[], message: RegExp])[] = [
      ["no shards", [], /^there are no shards to join$/],
      [
        "another tree",
        [first, { ...second, tree: "abd" }],
        /^B is of another run: its sources' digest is abd, that of A abc$/,
      ],
      [
        "another N",
        [first, { ...second, shards: 3 }],
        /^B is of another run: its number of shards is 3, that of A 2$/,
      ],
      [
        "another seed",
        [first, { ...second, options: { ...second.options, seed: 4 } }],
        /^B is of another run: its seed is 4, that of A 3$/,
      ],
      [
        "other areas",
        [first, { ...second, options: { ...second.options, areas: "x" } }],
        /^B is of another run: its areas is x, that of A $/,
      ],
      ["a missing one", [second], /^of 2 shards, 1 is missing$/],
      ["two missing", [shardRun(2, { shards: 3 })], /^of 3 shards, 1, 3 are missing$/],
      ["a doubled one", [first, second, second], /^B and C are both shard 2 of 2$/],
      [
        "a claim in both",
        [first, { ...second, run: first.run }],
        /^two shards examined a\/1: claim 1 \[wasm\]$/,
      ],
    ];
    for (const [what, shards, message] of refused) {
      await check.throws(what, () => joinShards(shards, ["A", "B", "C"]), message);
    }
    const { totals, verdicts, when, command } = joinShards([second, first], ["A", "B"]);
    check.within("alarm rate of both", totals.alarmRate, 3e-9, 1e-24, "1e-9 + 2e-9");
    check.equal(
      "totals",
      { ...totals, alarmRate: 0 },
      { passed: 2, failed: 0, skipped: 0, comparisons: 2, seed: 3, seconds: 30, alarmRate: 0 },
      "counted by hand",
    );
    check.equal("verdicts", verdicts.map(({ name }) => name), ["claim 1", "claim 2"], "in the shards' order");
    check.equal(
      "when and command",
      [when, command],
      ["2026-01-02T00:00:00Z", "deno task verify"],
      "the last",
    );
    for (
      const [task, flags, code, message] of [
        [
          "verify",
          "--shard 3/2",
          2,
          /^error: --shard must be I\/N with I from 1 to N, such as 2\/8, got "3\/2"\n$/,
        ],
        [
          "verify",
          "--shard 1/2 --vary-seed",
          2,
          /^error: --vary-seed and --shard exclude each other: .*--seed\n$/,
        ],
        ["verify:join", "--from no/such", 1, /^error: could not read no\/such: No such file .*\n$/],
      ] as const
    ) {
      const { code: found, stderr } = await run(task, ...flags.split(" "));
      check.equal(`${task} ${flags}: exit code`, found, code, "bad usage is 2, a failure 1");
      check.holds(stderr.trim(), message.test(stderr), "one sentence that names the value");
    }
  },
);

/** What a run has but for its times. */
function timeless(text: string): unknown {
  const { verdicts, totals, command, commit } = JSON.parse(text) as ShardRun["run"];
  const sorted = verdicts.map((verdict) => ({ ...verdict, milliseconds: 0 }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  return { verdicts: sorted, totals: { ...totals, seconds: 0 }, command, commit };
}

claim("joined shards of a suite are its undivided run: verdicts, totals and report", async (check) => {
  await withSmallSuite(async (folder, verify) => {
    const kept = `${folder}/verification`;
    const flags = ["--processes", "1"];
    const whole = await verify("main.ts", ...flags);
    check.equal("exit code of the undivided run", whole.code, 1, "a half is not one");
    const expected = timeless(await Deno.readTextFile(`${kept}/run.json`));
    const page = await Deno.readTextFile(`${kept}/report.html`);
    await Deno.remove(`${kept}/run.json`);
    const codes = [];
    for (const shard of ["1/2", "2/2"]) {
      codes.push((await verify("main.ts", ...flags, "--shard", shard)).code);
    }
    check.equal("exit codes of the shards", codes.sort(), [0, 1], "one of them has the claim that fails");
    const there = await Deno.stat(`${kept}/run.json`).then(() => true, () => false);
    check.equal("a run of all before they are joined", there, false, "a shard is not the run");
    const joined = await verify("join.ts");
    check.equal("exit code of the join", joined.code, 1, "a half is not one");
    check.equal("run.json", timeless(await Deno.readTextFile(`${kept}/run.json`)), expected, "but for times");
    const report = await Deno.readTextFile(`${kept}/report.html`);
    const sections = (html: string) => html.split("\n").length;
    check.equal("report.html: sections", sections(report), sections(page), "those of the undivided run");
    for (const name of ["one is one", "a half is one", "draws have their mean", "draws are at most 99"]) {
      check.equal(`report: ${name}`, report.split(name).length, page.split(name).length, "as often");
    }
    await Deno.writeTextFile(`${folder}/src/later.ts`, "export {};\n");
    await verify("main.ts", ...flags, "--shard", "1/2");
    const { code, stderr } = await verify("join.ts");
    check.equal("shards of changed sources: exit code", code, 1, "refused");
    check.holds(
      stderr.trim(),
      /^error: "2-of-2\.json" is of another run: its sources' digest is [0-9a-f]{64}, that of /.test(stderr),
      "named",
    );
  });
});
