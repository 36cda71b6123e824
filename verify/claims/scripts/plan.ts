/** Claims about the plan of a large run: hours, shards, memory and job files. @module */
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { jobFiles } from "../../../scripts/sampling/job_files.ts";
import { measureTrials, planOf, type PlanRequest, type Trial } from "../../../scripts/sampling/run_plan.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";
import { run } from "../../instruments/run_task.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { readYaml } from "../../instruments/yaml.ts";
import { claim } from "../../suite/claim.ts";
import { runProgram } from "../../suite/program.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

const request: PlanRequest = {
  count: 1000,
  batch: 10,
  engine: "auto",
  sampling: ["--sampler", "dpm++2m", "--steps", "20"],
  hours: 0.025,
  probeSeconds: 20,
};

/** Trials that take 3 s before the first batch and these seconds a batch. */
function trialsOf(seconds: readonly number[], batches = 11): Trial[] {
  const [mean] = [seconds.reduce((sum, value) => sum + value, 0) / seconds.length];
  const trial = (n: number, time: number, peak: number): Trial => ({
    ...{ batches: n, seconds: time, peak, engine: "wasm", sampleBytes: 3136 },
  });
  const first = trial(1, 3 + mean, 200e6);
  return [
    first,
    ...seconds.map((b, i) => trial(batches, first.seconds + (batches - 1) * b, (300 + i) * 1e6)),
  ];
}

claim(
  "a plan has Student's interval of its trials, and the fewest shards whose interval fits",
  async (check) => {
    const plan = planOf(request, trialsOf([2, 2.2, 1.9, 2.1]));
    const source = "scipy.stats.t.interval of 2, 2.2, 1.9 and 2.1";
    check.within("seconds of a batch", plan.batchSeconds.mean, 2.05, 1e-12, "their mean");
    check.within("low", plan.batchSeconds.low, 1.8445739743239475, 1e-12, source);
    check.within("high", plan.batchSeconds.high, 2.255426025676052, 1e-12, source);
    check.within("seconds to start", plan.startSeconds, 3, 1e-12, "one batch takes 5.05 s");
    check.within("hours", plan.hours.mean, (3 + 100 * 2.05) / 3600, 1e-12, "100 batches of 10");
    check.equal(
      "shards",
      plan.shards,
      3,
      "90 s are 3 + 38 × 2.255 s, but not 39; 100 batches are 3 × 33 and one",
    );
    check.within(
      "hours of the longest",
      plan.shardHours.high,
      (3 + 34 * 2.255426025676052) / 3600,
      1e-12,
      "34 batches",
    );
    check.equal(
      "memory",
      plan.memory,
      2 * 2 ** 28,
      "half as much again as 303 MB is 455 MB: two times 256 MiB",
    );
    check.equal("disk", plan.disk, 3_136_000, "1,000 samples of 784 float32 numbers");
    check.equal("engine", plan.engine, "wasm", "the one that was measured");
    await check.throws(
      "hours that are too short for a batch",
      () => planOf({ ...request, hours: 0.001 }, trialsOf([2, 2.2, 1.9, 2.1])),
      /^a batch of 10 and the start take up to 5 s: --hours 0\.001 is too short$/,
    );
    const runs = fc.record({
      count: fc.integer({ min: 1, max: 100_000 }),
      batch: fc.integer({ min: 1, max: 512 }),
      hours: fc.double({ min: 0.01, max: 10, noNaN: true }),
      seconds: fc.array(fc.double({ min: 1e-3, max: 0.5, noNaN: true }), { minLength: 4, maxLength: 4 }),
    });
    await checkProperty(
      check,
      "the fewest shards that fit",
      runs,
      ({ count, batch, hours, seconds }) => {
        const { shards, shardHours, batchSeconds, startSeconds } = planOf(
          { ...request, count, batch, hours },
          trialsOf(seconds),
        );
        const batches = Math.ceil(count / batch);
        const longest = (n: number) => (startSeconds + Math.ceil(batches / n) * batchSeconds.high) / 3600;
        const fits = shards <= batches && shardHours.high <= hours * (1 + 1e-12) &&
          longest(shards) <= hours * (1 + 1e-12);
        return fits && (shards === 1 || longest(shards - 1) > hours * (1 - 1e-12));
      },
      "by trying one shard less",
      200,
    );
  },
);

claim("the probe's runs have as many batches as fit into its time", async (check) => {
  for (const [start, batch, seconds] of [[1, 0.1, 20], [2, 1.5, 80], [1, 0.1, 0]]) {
    const asked: number[] = [];
    const draw = (batches: number): Promise<Trial> => {
      asked.push(batches);
      return Promise.resolve({
        ...{ batches, engine: "wasm", peak: 1, sampleBytes: 1, seconds: start + batch * batches },
      });
    };
    const trials = await measureTrials({ probeSeconds: seconds }, draw);
    const total = asked.reduce((sum, batches) => sum + start + batch * batches, 0);
    const name = `${start} s to start, ${batch} s a batch, ${seconds} s: ${asked}`;
    check.equal(`${name}: trials kept`, trials.length, 5, "one batch, and four of many");
    if (seconds === 0) check.equal(name, asked, [1, 4, 4, 4, 4, 4], "no fewer than four batches");
    else {
      check.within(
        name,
        total,
        seconds - 2 * batch,
        2 * batch * (1 + 1e-9),
        "each of four runs has less than a batch of its time left",
      );
    }
  }
});

claim(
  "job files of a plan have its numbers in the place of the examples', and nothing else changed",
  async (check) => {
    const plan = planOf(request, trialsOf([2, 2.2, 1.9, 2.1]));
    const files = await jobFiles({ ...request, sampling: ["--label", "it's"], hours: 2.26 }, plan, 6);
    const lines = async (name: "slurm_array.sh" | "kubernetes_job.yaml") => {
      const before = (await Deno.readTextFile(`${root}examples/${name}`)).split("\n");
      const after = files[name].split("\n");
      check.equal(`${name}: lines`, after.length, before.length, "numbers are replaced");
      return after.filter((line, i) => line !== before[i]).map((line) => line.trim());
    };
    check.equal("Slurm: lines that differ", await lines("slurm_array.sh"), [
      "#   deno task join --parts digits-%.npy --shards 3 --output digits.npy",
      "#SBATCH --array=1-3",
      "#SBATCH --cpus-per-task=6",
      "#SBATCH --mem=512M",
      "#SBATCH --time=02:16:00",
      "shards=3",
      `exec deno task sample --engine wasm --count 1000 --batch 10 --label 'it'\\''s' "$@" \\`,
    ], "three shards; 2.26 hours are 2:15:36");
    check.equal(
      "Kubernetes: lines that differ",
      (await lines("kubernetes_job.yaml")).length,
      7,
      "as many numbers",
    );
    const { spec } = readYaml(files["kubernetes_job.yaml"]) as {
      spec: { completions: number; parallelism: number; template: { spec: { containers: Container[] } } };
    };
    interface Container {
      env: { name: string; value: string }[];
      resources: { requests: Record<string, string>; limits: Record<string, string> };
    }
    const [container] = spec.template.spec.containers;
    check.equal("pods", [spec.completions, spec.parallelism], [3, 3], "three shards");
    check.equal(
      "variables",
      Object.fromEntries(container.env.map(({ name, value }) => [name, value])),
      { FOLDER: "/data", SHARDS: "3", FLAGS: "--engine wasm --count 1000 --batch 10 --label it's" },
      "those of the plan",
    );
    check.equal("resources", container.resources, {
      requests: { cpu: "6", memory: "512Mi" },
      limits: { memory: "512Mi" },
    }, "those of the plan");
  },
);

claim(
  "deno task plan measures a network, and its Slurm file draws the bytes of the undivided run",
  {
    engines: ["wasm"],
    needs: ["bash"],
    slow: {
      files: [
        "scripts/plan.ts",
        "scripts/sampling",
        "scripts/cli/task_process.ts",
        "examples/slurm_array.sh",
      ],
    },
  },
  (check) =>
    withCheckpoint(async (folder) => {
      const sampling = `--checkpoint ${folder}/model.safetensors --steps 2 --sampler ancestral --seed 3`;
      const flags = `${sampling} --count 15 --batch 2 --engine wasm`.split(" ");
      const { code, stdout, stderr } = await run(
        "plan",
        ...flags,
        ...`--probe-seconds 0 --hours 0.01 --json --output ${folder}/jobs`.split(" "),
      );
      check.equal("exit code", code, 0, stderr);
      const { engine, hours, shards, memory, disk, machine, files } = JSON.parse(stdout);
      check.equal(
        "engine and disk",
        [engine, disk],
        ["wasm", 15 * 3136],
        "15 images of 28×28 float32 numbers",
      );
      check.holds(
        "hours",
        0 < hours.low && hours.low <= hours.mean && hours.mean <= hours.high,
        "an interval",
      );
      check.within("memory, GB", memory / 1e9, 0.8, 0.7, "Deno and the engine take some hundred megabytes");
      check.holds("machine", machine.threads >= 1 && machine.memory > memory, "that this runs on");
      check.equal(
        "files",
        files,
        ["slurm_array.sh", "kubernetes_job.yaml"].map((name) => `${folder}/jobs/${name}`),
        "",
      );
      const path = `${dirname(Deno.execPath())}${delimiter}${Deno.env.get("PATH")}`;
      for (let task = 1; task <= shards; task++) {
        const env = { FOLDER: folder, SLURM_ARRAY_TASK_ID: String(task), PATH: path, NO_COLOR: "1" };
        await runProgram("bash", [files[0]], { cwd: root, env });
      }
      const parts = `--parts ${folder}/digits-%.npy --shards ${shards} --output ${folder}/digits.npy`;
      const joined = await run("join", ...parts.split(" "));
      check.equal("join", joined.code, 0, joined.stderr);
      await run("sample", ...flags, "--output", `${folder}/whole.npy`);
      check.equal(
        "joined",
        await Deno.readFile(`${folder}/digits.npy`),
        await Deno.readFile(`${folder}/whole.npy`),
        "the shards' batches are those of the undivided run",
      );
      const refused = await run("plan", ...flags, "--label", "eleven");
      check.equal("what sample refuses: exit code", refused.code, 1, "found when it is drawn");
      check.holds(
        refused.stderr.trim(),
        /^error: deno task sample failed: error: .*eleven/.test(refused.stderr),
        "named",
      );
    }),
);
