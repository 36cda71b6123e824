/**
 * Claims about the scripts as processes, run by the command lines of deno.json with the permissions they have there.
 * @module
 */
import { fileURLToPath } from "node:url";
import { createRng } from "../src/compute/rng.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../src/networks/catalogue.ts";
import { writeModel } from "../src/networks/model_file.ts";
import { readNpy } from "../src/pictures/npy.ts";
import { decodePng } from "../src/pictures/png.ts";
import { claim } from "./claim.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a task's own command with further arguments; a permission that it lacks is a failure, not a question. */
async function run(task: string, ...args: string[]): Promise<Run> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const [program, command, ...rest] = (tasks[task].command as string).split(" ");
  if (program !== "deno" || command !== "run") throw new Error(`the task ${task} is not one deno run`);
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...rest, ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  // What the graphics driver and the package manager say is not ours.
  const noise = /^(error: XDG_RUNTIME_DIR .*|Download .*|[╭│╰].*)\n/gm;
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr).replace(noise, "") };
}

for (const task of ["sample", "train", "evaluate", "bench", "verify"]) {
  claim(
    `deno task ${task} explains itself and refuses an unknown flag with one sentence and exit code 2`,
    async (check) => {
      const [help, wrong] = await Promise.all([run(task, "--help"), run(task, "--stpes", "4")]);
      const source = "bad usage is 2, failure is 1, results go to stdout and the rest to stderr";
      check.equal("--help: exit code and stderr", [help.code, help.stderr], [0, ""], source);
      check.holds("--help: usage", help.stdout.includes(`deno task ${task} [flags]`), source);
      check.equal("unknown flag: exit code and stdout", [wrong.code, wrong.stdout], [2, ""], source);
      const sentence = /^error: unknown flag --stpes: the flags are --.*\n$/;
      check.holds(`unknown flag: ${wrong.stderr.trim()}`, sentence.test(wrong.stderr), source);
    },
  );
}

const config: NetworkConfig = {
  ...NETWORK_PRESETS.digits,
  widths: [8, 8],
  blocks: 1,
  middleBlocks: 1,
  embedding: 16,
  noiseFeatures: 8,
};

/** A folder with an untrained checkpoint, small but with every layer at work. */
async function folderWithCheckpoint(): Promise<string> {
  const network = networkFromConfig(config);
  const rng = createRng(7);
  const weights = network.initialise(rng);
  for (const { name, std, mean } of network.parameters) {
    const values = weights.get(name)!;
    if (std === 0) {
      weights.set(
        name,
        rng.fork(name).normalValues([1, values.length]).map((z) => mean + 0.1 * z),
      );
    }
  }
  const folder = await Deno.makeTempDir();
  const model = { config: { network: config, preconditioning: { sigmaData: 0.6, centre: -0.7 } }, weights };
  await Deno.writeFile(`${folder}/model.safetensors`, writeModel(model));
  return folder;
}

claim(
  "The first digits of a seed are the same however many are asked for, and no two are alike",
  async (check) => {
    const folder = await folderWithCheckpoint();
    try {
      const draw = async (name: string, ...args: string[]) => {
        const common = ["--checkpoint", `${folder}/model.safetensors`, "--engine", "wasm", "--steps", "3"];
        const { code, stderr } = await run("sample", ...common, ...args, "--output", `${folder}/${name}.npy`);
        if (code !== 0) throw new Error(stderr);
        return readNpy(await Deno.readFile(`${folder}/${name}.npy`));
      };
      const [few, many] = await Promise.all([
        draw("few", "--count", "5", "--seed", "3", "--sampler", "ancestral"),
        draw("many", "--count", "37", "--seed", "3", "--sampler", "ancestral"),
      ]);
      const other = await draw("other", "--count", "1", "--seed", "4", "--sampler", "ancestral");
      const source = "draw k of sample i is the same number for every batch split";
      check.equal("shapes", [few.shape, many.shape], [[5, 28, 28, 1], [37, 28, 28, 1]], "[N, 28, 28, 1]");
      check.equal("the first five", many.values.slice(0, few.values.length), few.values, source);
      check.holds(
        "another seed, another digit",
        String(other.values) !== String(few.values.slice(0, 784)),
        source,
      );
      const digits = Array.from({ length: 37 }, (_, i) => String(many.values.slice(784 * i, 784 * (i + 1))));
      check.equal("different digits among 37 over three batches", new Set(digits).size, 37, source);
      check.holds("values in [0, 1]", many.values.every((v) => v >= 0 && v <= 1), "pictures are in [0, 1]");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

claim(
  "deno task sample writes what the file's ending says, reports it in one line and leaves nothing half-done",
  async (check) => {
    const folder = await folderWithCheckpoint();
    try {
      const checkpoint = ["--checkpoint", `${folder}/model.safetensors`, "--engine", "wasm"];
      await Deno.writeTextFile(`${folder}/kept.png`, "older");
      await Deno.writeTextFile(`${folder}/broken.safetensors`, "no checkpoint at all");
      const guided = ["--label", "4", "--guidance", "2"];
      const [png, gif, broken, late] = await Promise.all([
        run(
          "sample",
          ...checkpoint,
          ...guided,
          "--count",
          "5",
          "--steps",
          "4",
          "--output",
          `${folder}/a.png`,
          "--json",
        ),
        run(
          "sample",
          ...checkpoint,
          "--sde",
          "vp",
          "--count",
          "4",
          "--steps",
          "3",
          "--output",
          `${folder}/a.gif`,
        ),
        run(
          "sample",
          "--checkpoint",
          `${folder}/broken.safetensors`,
          "--engine",
          "wasm",
          "--output",
          `${folder}/kept.png`,
        ),
        // A corrector whose steps are too long for float32 fails on the way.
        run(
          "sample",
          ...checkpoint,
          "--sampler",
          "predictor-corrector",
          "--snr",
          "1e30",
          "--steps",
          "3",
          "--output",
          `${folder}/late.npy`,
        ),
      ]);
      const source = "the flags in the claim";
      check.equal("png: exit code and stderr", [png.code, png.stderr], [0, ""], source);
      const summary = JSON.parse(png.stdout);
      const told = [summary.count, summary.sde, summary.sampler, summary.steps, summary.engine, summary.file];
      check.equal("png: what was told", told, [5, "ve", "dpm++2m", 4, "wasm", `${folder}/a.png`], source);
      check.equal(
        "png: evaluations",
        summary.evaluations,
        10,
        "4 steps and a last denoise, each with and without label",
      );
      const { width, height } = decodePng(await Deno.readFile(`${folder}/a.png`));
      check.equal(
        "png: three columns, two rows",
        [width, height],
        [2 + 3 * 58, 2 + 2 * 58],
        "28·2 pixels and gaps of 2",
      );
      check.equal("gif: exit code", gif.code, 0, source);
      const line =
        /^4 digits, vp, dpm\+\+2m on a karras grid, 3 steps, 4 network evaluations, .* on wasm: .*a\.gif\n$/;
      check.holds(`gif: ${gif.stdout.trim()}`, line.test(gif.stdout), source);
      const bytes = await Deno.readFile(`${folder}/a.gif`);
      const frames = bytes.filter((_, i) =>
        bytes[i] === 0x21 && bytes[i + 1] === 0xf9 && bytes[i + 2] === 4
      ).length;
      check.equal("gif: frames", frames, 4, "the start and three steps, by their graphic control extensions");
      check.equal("broken checkpoint: exit code", broken.code, 1, source);
      check.holds(
        `broken checkpoint: ${broken.stderr.trim()}`,
        /^error: ".*broken\.safetensors" cannot be used: .*\n$/.test(broken.stderr),
        "one sentence",
      );
      check.equal(
        "what was there before",
        await Deno.readTextFile(`${folder}/kept.png`),
        "older",
        "a failure changes nothing",
      );
      check.equal("failure on the way: exit code", late.code, 1, source);
      check.holds(
        `failure on the way: ${late.stderr.trim()}`,
        /^error: .*step 1 of 3.*\n$/.test(late.stderr),
        "one sentence",
      );
      const left = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
      const expected = ["a.gif", "a.png", "broken.safetensors", "kept.png", "model.safetensors"];
      check.equal("files in the folder", left, expected, "no file of a failed run, no temporary one");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
