/**
 * Claims about the job files in examples/: each is run here as its batch engine would run it.
 * @module
 */
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { claim } from "../../suite/claim.ts";
import { type Program, runProgram } from "../../suite/program.ts";
import { run } from "../../instruments/run_task.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Eight batches, so that each of the eight shards of the job files has one. */
function smallRun(folder: string): string[] {
  return `--checkpoint ${folder}/model.safetensors --steps 2 --count 15 --batch 2 --sampler ancestral`.split(
    " ",
  );
}

/** Runs a shell script in the project's folder with the deno that runs this. */
async function shell(program: Program, args: string[], env: Record<string, string>): Promise<void> {
  const path = `${dirname(Deno.execPath())}${delimiter}${Deno.env.get("PATH")}`;
  await runProgram(program, args, { cwd: root, env: { ...env, PATH: path, NO_COLOR: "1" } });
}

async function joined(folder: string): Promise<Uint8Array> {
  const flags = `--parts ${folder}/digits-%.npy --shards 8 --output ${folder}/digits.npy`.split(" ");
  const { code, stderr } = await run("join", ...flags);
  if (code !== 0) throw new Error(stderr);
  return await Deno.readFile(`${folder}/digits.npy`);
}

async function undivided(folder: string): Promise<Uint8Array> {
  const flags = [...smallRun(folder), "--engine", "wasm", "--output", `${folder}/whole.npy`];
  const { code, stderr } = await run("sample", ...flags);
  if (code !== 0) throw new Error(stderr);
  return await Deno.readFile(`${folder}/whole.npy`);
}

const source = "the shards' batches are those of the undivided run";

claim(
  "the Slurm array in examples/ draws the bytes of the undivided run",
  { engines: ["wasm"], needs: ["bash"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const text = await Deno.readTextFile(`${root}examples/slurm_array.sh`);
      check.holds("tasks of the array", text.includes("#SBATCH --array=1-8\n"), "as many as its shards");
      // The third was killed on another machine, and is restarted by Slurm.
      await Deno.writeTextFile(
        `${folder}/digits-3.npy.lock`,
        JSON.stringify({ pid: 1, host: "elsewhere", since: "2026-01-02T03:04:05Z" }),
      );
      for (let task = 1; task <= 8; task++) {
        const restarts = task === 3 ? "1" : "0";
        const env = { FOLDER: folder, SLURM_ARRAY_TASK_ID: String(task), SLURM_RESTART_COUNT: restarts };
        await shell("bash", ["examples/slurm_array.sh", ...smallRun(folder)], env);
      }
      check.equal("joined", await joined(folder), await undivided(folder), source);
    }),
);

claim(
  "the Kubernetes job in examples/ draws the bytes of the undivided run",
  { engines: ["wasm"], needs: ["sh"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const text = await Deno.readTextFile(`${root}examples/kubernetes_job.yaml`);
      check.equal("completions", /completions: (\d+)/.exec(text)?.[1], "8", "as many as its shards");
      check.equal(
        "shards",
        /name: SHARDS\s+value: "(\d+)"/.exec(text)?.[1],
        "8",
        "as many as its completions",
      );
      const script = /- \|\n((?: {14}.*\n)+)/.exec(text)![1];
      for (let index = 0; index < 8; index++) {
        const flags = ["--engine", "wasm", ...smallRun(folder)].join(" ");
        const env = { FOLDER: folder, SHARDS: "8", FLAGS: flags, JOB_COMPLETION_INDEX: String(index) };
        await shell("sh", ["-c", script], env);
      }
      check.equal("joined", await joined(folder), await undivided(folder), source);
    }),
);

claim("the GNU parallel script in examples/ draws and joins the bytes of the undivided run", {
  engines: ["wasm"],
  needs: ["bash", "parallel"],
}, (check) =>
  withCheckpoint(async (folder) => {
    await shell("bash", ["examples/gnu_parallel.sh", ...smallRun(folder)], { FOLDER: folder, SHARDS: "3" });
    check.equal("joined", await Deno.readFile(`${folder}/digits.npy`), await undivided(folder), source);
  }));
