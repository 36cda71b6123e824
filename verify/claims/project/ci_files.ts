/** Claims about the files in examples/ci, which have continuous integration examine the claims in parts. @module */
import { delimiter, dirname } from "node:path";
import { withSmallSuite } from "../../instruments/small_suite.ts";
import { readYaml } from "../../instruments/yaml.ts";
import { claim } from "../../suite/claim.ts";
import { runProgram } from "../../suite/program.ts";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** The part of a workflow of GitHub that is held to something. */
interface Workflow {
  readonly jobs: Readonly<
    Record<string, { strategy?: { matrix: { shard: number[] } }; needs?: string; if?: string; steps: Step[] }>
  >;
}

/** The part of GitLab's file that is held to something. */
interface Pipeline {
  readonly stages: readonly string[];
  readonly shard: Job & { readonly parallel: number };
  readonly join: Job;
}

interface Job {
  readonly stage: string;
  readonly when?: string;
  readonly script: readonly string[];
  readonly artifacts: { readonly when: string; readonly paths: readonly string[] };
}

claim(
  "the files for GitHub Actions and GitLab are YAML and call one script, whose tasks exist",
  async (check) => {
    await check.throws("what is no YAML", () => readYaml("a: [1"), /\]/);
    await check.throws("a key twice", () => readYaml("a: 1\na: 2"), /unique/);
    const { tasks } = JSON.parse(await read("deno.json"));
    const script = await read("examples/ci/verify.sh");
    const called = [...script.matchAll(/exec deno task (\S+)/g)].map(([, task]) => task);
    check.equal("tasks of the script", called, ["verify", "verify:join"], "a part, and all parts");
    check.equal(
      "of them not in deno.json",
      called.filter((task) => tasks[task] === undefined),
      [],
      "deno.json",
    );

    const { jobs } = readYaml(await read("examples/ci/github_actions.yaml")) as Workflow;
    const commands = (steps: readonly Step[]) => steps.flatMap(({ run }) => run ?? []);
    check.equal("GitHub: a part", commands(jobs.shard.steps), [
      "examples/ci/verify.sh shard ${{ matrix.shard }} ${{ strategy.job-total }}",
    ], "one script; job-total is the matrix's length");
    check.equal("parts", jobs.shard.strategy?.matrix.shard, [1, 2, 3, 4], "from 1, none left out");
    check.equal("GitHub: the join", commands(jobs.join.steps), ["examples/ci/verify.sh join"], "one script");
    check.equal("it waits, and runs after failures, too", [jobs.join.needs, jobs.join.if], [
      "shard",
      "always()",
    ], "");
    const artifact = (steps: readonly Step[], action: string) =>
      steps.find(({ uses }) => uses?.startsWith(`actions/${action}-artifact@`))?.with;
    check.equal(
      "kept and fetched",
      [artifact(jobs.shard.steps, "upload")?.path, artifact(jobs.join.steps, "download")?.path],
      ["verification/shards/", "verification/shards"],
      "where verify writes and verify:join reads",
    );

    const { stages, shard, join } = readYaml(await read("examples/ci/gitlab_ci.yaml")) as Pipeline;
    check.equal(
      "GitLab: a part",
      shard.script,
      ["examples/ci/verify.sh shard $CI_NODE_INDEX $CI_NODE_TOTAL"],
      "",
    );
    check.equal("parts", shard.parallel, 4, "as on GitHub");
    check.equal("GitLab: the join", join.script, ["examples/ci/verify.sh join"], "one script");
    check.equal("order", [shard.stage, join.stage, join.when], [...stages, "always"], "the join is last");
    check.equal(
      "kept",
      [shard.artifacts.when, ...shard.artifacts.paths],
      ["always", "verification/shards/"],
      "",
    );
  },
);

claim(
  "the script that continuous integration calls examines parts and joins them",
  { needs: ["bash"] },
  async (check) => {
    await withSmallSuite(async (folder) => {
      const path = `${dirname(Deno.execPath())}${delimiter}${Deno.env.get("PATH")}`;
      const env = { PATH: path, NO_COLOR: "1", CI_NODE_TOTAL: "2", INIT_CWD: folder };
      const { shard, join } = readYaml(await read("examples/ci/gitlab_ci.yaml")) as Pipeline;
      const flags = "--filter draws --processes 1";
      for (const index of ["1", "2"]) {
        await runProgram("bash", ["-c", `${shard.script[0]} ${flags}`], {
          cwd: folder,
          env: { ...env, CI_NODE_INDEX: index },
        });
      }
      await runProgram("bash", ["-c", join.script[0]], { cwd: folder, env });
      const { totals } = JSON.parse(await Deno.readTextFile(`${folder}/verification/run.json`));
      check.equal("claims that held", [totals.passed, totals.failed], [2, 0], "those that the flags name");
      check.within("alarm rate", totals.alarmRate, 8e-10, 1e-24, "5e-10 + 3e-10, of one shard");
    });
  },
);
