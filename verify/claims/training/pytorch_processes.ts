/** Claims that PyTorch's side trains alike on several processes, with one of them killed, and in other types. @module */
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { readCheckpoint } from "../../../src/training/checkpoint.ts";
import { writeRecipe } from "../../../scripts/training/recipe_file.ts";
import {
  askPyTorch,
  compareStates,
  distance,
  pytorchEnv,
  tensorsOf,
} from "../../instruments/pytorch_side.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { pyTorchRun } from "../../problems/pytorch_trainings.ts";
import { claim } from "../../suite/claim.ts";
import { runProgram } from "../../suite/program.ts";

const jobFiles = ["examples/train_slurm.sh", "examples/train_kubernetes.yaml"];

/** What these claims depend on. */
const files = [
  "pytorch",
  "scripts/training/recipe_file.ts",
  "src/training",
  "verify/problems/pytorch_trainings.ts",
];

const root = fileURLToPath(new URL("../../../", import.meta.url));
const killed = fileURLToPath(new URL("../../reference/pytorch_killed.py", import.meta.url));

/** Starts a command line of torchrun's; its words on failure, else null. */
async function torchrun(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  try {
    const command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", ...args];
    await runProgram("python3", command, { env: { ...pytorchEnv, ...env } });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

claim(
  "two processes train what one does; where one is killed the other ends, and the same command goes on, also with one",
  { needs: ["pytorch"], engines: ["wasm"], slow: { files } },
  (check) =>
    withFolder(async (folder) => {
      const { begin, dataset } = await pyTorchRun();
      const recipe = `${folder}/run.json`;
      await writeRecipe(recipe, begin, dataset);
      const flags = (out: string) => [
        ...["--recipe", recipe, "--out", `${folder}/${out}`, "--device", "cpu"],
        ...["--checkpoint-every", "5", "--accumulate", "2"],
      ];
      const written = async (out: string) =>
        readCheckpoint(await Deno.readFile(`${folder}/${out}/checkpoint.safetensors`));
      check.equal(
        "two processes",
        await torchrun(["-m", "score_sde_torch.train", ...flags("two")]),
        null,
        "code 0",
      );
      const words = await torchrun([killed, ...flags("killed")], { OWN_SIGNAL: "SIGKILL" }) ?? "code 0";
      check.holds(
        "a run whose second process is killed in step 14 fails",
        /SIGKILL|-9/.test(words),
        words.slice(-300),
      );
      check.equal("step of its checkpoint", (await written("killed")).state.step, 10, "--checkpoint-every 5");
      await Deno.mkdir(`${folder}/alone`);
      await Deno.copyFile(
        `${folder}/killed/checkpoint.safetensors`,
        `${folder}/alone/checkpoint.safetensors`,
      );
      check.equal(
        "two go on",
        await torchrun(["-m", "score_sde_torch.train", ...flags("killed")]),
        null,
        "code 0",
      );
      const [, alone] = await askPyTorch(folder, [
        ["steps", recipe, 20, `${folder}/exact`],
        ["run", ...flags("alone")],
      ]);
      check.equal("one goes on", alone?.[0], 0, String(alone?.[1]));
      const two = await written("two");
      compareStates(
        check,
        { "two processes": two.state, "two, then one": (await written("alone")).state },
        await tensorsOf(`${folder}/exact`),
      );
      check.equal(
        "two after the kill",
        (await written("killed")).state,
        two.state,
        "all that is random in a step comes from its number: bit for bit the uninterrupted run",
      );
    }),
);

claim(
  "where one of two processes is asked to end, both do after the next line of metrics, with a checkpoint",
  { needs: ["pytorch"], engines: ["wasm"], slow: { files } },
  (check) =>
    withFolder(async (folder) => {
      const { begin, dataset } = await pyTorchRun();
      const recipe = `${folder}/run.json`;
      await writeRecipe(recipe, begin, dataset);
      const flags = ["--recipe", recipe, "--out", `${folder}/out`, "--device", "cpu", "--log-every", "16"];
      const words = await torchrun([killed, ...flags], { OWN_SIGNAL: "SIGTERM" }) ?? "code 0";
      check.holds("it ends with 143, as after SIGTERM", /exitcode\s*: 143/.test(words), words.slice(-300));
      const { state } = readCheckpoint(await Deno.readFile(`${folder}/out/checkpoint.safetensors`));
      check.equal("step of its checkpoint", state.step, 16, "--log-every 16, asked in step 14");
    }),
);

claim(
  "the Slurm and the Kubernetes file of trainings in examples/ train what one process does",
  { needs: ["pytorch", "bash", "sh"], engines: ["wasm"], slow: { files: [...files, ...jobFiles] } },
  (check) =>
    withFolder(async (folder) => {
      const { begin, dataset } = await pyTorchRun();
      const recipe = `${folder}/run.json`;
      await writeRecipe(recipe, begin, dataset);
      // Slurm's programs, of one machine.
      for (const [name, line] of [["srun", 'exec "$@"'], ["scontrol", "echo localhost; echo other"]]) {
        await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
      }
      const slurm = {
        ...{ SLURM_JOB_NODELIST: "localhost", SLURM_NNODES: "1", SLURM_JOB_ID: "7" },
        ...{ PROCESSES: "2", PORT: "0", RECIPE: recipe, OUT: `${folder}/slurm` },
        PATH: `${folder}${delimiter}${Deno.env.get("PATH")}`,
      };
      const shell = { cwd: root, env: { OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" } };
      await runProgram("bash", [jobFiles[0], "--device", "cpu"], {
        ...shell,
        env: { ...shell.env, ...slurm },
      });
      const yaml = await Deno.readTextFile(root + jobFiles[1]);
      const script = /- \|\n((?: {14}.*\n)+)/.exec(yaml)![1];
      const values = [...yaml.matchAll(/name: ([A-Z_]+), value/g)].map(([, name]) => name);
      const pods = {
        ...{
          PYTHONPATH: "pytorch",
          SCORE_SDE_DATA: folder,
          NODES: "1",
          PROCESSES: "2",
          FIRST: "localhost:0",
        },
        FLAGS: `--recipe ${recipe} --out ${folder}/pods --device cpu`,
      };
      check.equal("variables of the pods", values, Object.keys(pods), "those that are set here");
      await runProgram("sh", ["-c", script], { ...shell, env: { ...shell.env, ...pods } });
      await askPyTorch(folder, [["steps", recipe, 20, `${folder}/exact`]]);
      const written = async (out: string) =>
        readCheckpoint(await Deno.readFile(`${folder}/${out}/checkpoint.safetensors`)).state;
      const states = { slurm: await written("slurm"), pods: await written("pods") };
      compareStates(check, states, await tensorsOf(`${folder}/exact`));
    }),
);

claim(
  "in bfloat16 and float16 the network trains nearly as in float32, and a gradient beyond float16 is taken again",
  { needs: ["pytorch"], engines: ["wasm"], slow: { files } },
  (check) =>
    withFolder(async (folder) => {
      const { begin, dataset } = await pyTorchRun();
      const recipe = `${folder}/run.json`;
      await writeRecipe(recipe, begin, dataset);
      const precisions = ["fp32", "bf16", "fp16"];
      const answers = await askPyTorch(folder, [
        ...precisions.map((precision) => [
          ...["run", "--recipe", recipe, "--out", `${folder}/${precision}`, "--device", "cpu"],
          ...["--precision", precision],
        ]),
        ["overflow", recipe, 2 ** 60],
      ]);
      const weights: Float32Array[] = [];
      for (const [at, precision] of precisions.entries()) {
        check.equal(`${precision}: exit code`, answers[at]?.[0], 0, String(answers[at]?.[1]));
        const bytes = await Deno.readFile(`${folder}/${precision}/checkpoint.safetensors`);
        weights.push(readCheckpoint(bytes).state.weights);
      }
      const moved = distance(weights[0], begin.state.weights);
      for (const [at, bits] of [[1, 8], [2, 11]]) {
        const share = distance(weights[at], weights[0]) / moved;
        check.atMost(
          `${precisions[at]}: distance of the weights from float32's, of how far they moved`,
          share,
          32 * 2 ** -bits,
          `${bits} bits: gradients to some roundings of ${bits} bits, which Adam makes larger where they are small`,
        );
        check.atLeast(`${precisions[at]}: that distance`, share, 2 ** -24, "another type was computed in");
      }
      const [scale, error] = answers[3] as unknown as [number, number];
      check.holds(
        `scale of losses after a step that began with 2^60: 2^${Math.log2(scale)}`,
        scale < 2 ** 40,
        "halved",
      );
      check.atMost("its gradient beside float32's", error, 32 * 2 ** -11, "eleven bits");
    }),
);
