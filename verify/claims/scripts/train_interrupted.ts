/**
 * What `deno task train` does when a run is killed, stopped by a scheduler, disturbed, resumed on other data or diverges.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { readCheckpoint } from "../../../src/training/checkpoint.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run, start } from "../../instruments/run_task.ts";
import { smallRun, writeClass, writeDigits } from "../../instruments/small_training.ts";

const quick = ["--engine", "wasm", "--log-every", "1"] as const;

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Waits until a file is there or the process has ended. */
async function until(child: Deno.ChildProcess, path: string): Promise<void> {
  let ended = false;
  child.status.then(() => ended = true);
  while (!ended && !await exists(path)) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Every file of a run is what its name says, whole; partial files are the only others. */
async function checkWhole(check: Check, what: string, out: string): Promise<void> {
  const broken: string[] = [];
  for await (const { name } of Deno.readDir(out)) {
    if (name.endsWith(".part") || name === ".lock" || name.endsWith(".png")) continue;
    try {
      const bytes = await Deno.readFile(`${out}/${name}`);
      if (name === "checkpoint.safetensors") readCheckpoint(bytes);
      else if (name.endsWith(".safetensors")) readModel(bytes);
    } catch (error) {
      broken.push(`${name}: ${(error as Error).message}`);
    }
  }
  check.equal(what, broken, [], "temporary files that are renamed when they are whole");
}

claim(
  "training that is killed at random times ends with the files of an uninterrupted run",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder, ["cat", "dog"]);
      const steps = 12;
      const begin = await smallRun(folder, 2, steps);
      const flags = [...quick, "--checkpoint-every", "2", "--keep-models"];
      const whole = await run("train", "--resume", begin, "--out", `${folder}/whole`, ...flags);
      check.equal("an undisturbed run", whole.code, 0, whole.stderr.slice(-300));
      const out = `${folder}/killed`;
      const rng = createRng(check.seed).fork("kills");
      let kills = 0;
      const wanted = check.thorough ? 60 : 3;
      for (let attempt = 0; kills < wanted; attempt++) {
        const own = `${out}/checkpoint.safetensors`;
        const resume = await exists(own) ? ["--resume", own] : ["--resume", begin, "--out", out];
        const child = await start("train", ...resume, ...flags);
        const [share] = rng.uniformValues([1]);
        const timer = setTimeout(() => child.kill("SIGKILL"), 300 + 2500 * share);
        const { signal, stderr } = await child.output();
        clearTimeout(timer);
        if (signal === "SIGKILL") kills++;
        else {
          const words = new TextDecoder().decode(stderr);
          if (!/has done 12 of 12 steps|12 of 12/.test(words) && !await exists(own)) throw new Error(words);
          // The run came to its end before the signal: begin another one.
          await Deno.remove(out, { recursive: true });
        }
        if (await exists(out)) await checkWhole(check, `files after kill ${kills}`, out);
      }
      const own = `${out}/checkpoint.safetensors`;
      const resume = await exists(own) ? ["--resume", own] : ["--resume", begin, "--out", out];
      const last = await run("train", ...resume, ...flags);
      check.holds(
        "the last resume",
        last.code === 0 || /has done 12 of 12/.test(last.stderr),
        last.stderr.slice(-300),
      );
      const names = async (path: string) =>
        (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name)
          .filter((name) => !name.endsWith(".png") && name !== "metrics.jsonl").sort();
      const expected = await names(`${folder}/whole`);
      check.atLeast("files of a run", expected.length, 8, "a checkpoint, a model and six models kept");
      check.equal("files", await names(out), expected, "those of the undisturbed run, and no temporary ones");
      for (const name of expected) {
        const [a, b] = await Promise.all(
          [folder + "/whole/", `${out}/`].map((path) => Deno.readFile(path + name)),
        );
        check.holds(name, a.length === b.length && a.every((byte, i) => byte === b[i]), "bit for bit");
      }
    }),
);

claim(
  "training that is asked to stop at random times ends with the weights of an uninterrupted run",
  {
    engines: ["wasm"],
    slow: { files: ["scripts/train.ts", "scripts/training", "scripts/cli", "src/training"] },
  },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder, ["cat", "dog"]);
      const begin = await smallRun(folder, 2, 12);
      const whole = await run("train", "--resume", begin, "--out", `${folder}/whole`, ...quick);
      check.equal("an undisturbed run", whole.code, 0, whole.stderr.slice(-300));
      const [out, own] = [`${folder}/asked`, `${folder}/asked/checkpoint.safetensors`];
      const flags = async () => await exists(own) ? ["--resume", own] : ["--resume", begin, "--out", out];
      const rng = createRng(check.seed).fork("stops");
      for (let stops = 0; stops < 4;) {
        const child = await start("train", ...await flags(), ...quick);
        const [share] = rng.uniformValues([1]);
        const timer = setTimeout(() => child.kill("SIGTERM"), 300 + 1500 * share);
        const { signal, code, stderr } = await child.output();
        clearTimeout(timer);
        const done = await exists(own) ? readCheckpoint(await Deno.readFile(own)).state.step : 0;
        // It may come to its end before it is asked to stop, or while it is.
        if (done === 12) await Deno.remove(out, { recursive: true });
        else if (signal === "SIGTERM" || code === 143) stops++;
        else throw new Error(new TextDecoder().decode(stderr));
        if (await exists(out)) await checkWhole(check, `files after stop ${stops}`, out);
      }
      const last = await run("train", ...await flags(), ...quick);
      check.equal("the last resume", last.code, 0, last.stderr.slice(-300));
      const weights = async (path: string) =>
        readModel(await Deno.readFile(`${path}/model.safetensors`)).weights;
      check.equal("weights", await weights(out), await weights(`${folder}/whole`), "bit for bit");
    }),
);

claim(
  "SIGTERM leaves a checkpoint, and a second run in the folder is refused, and names the first one's process",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder, ["cat", "dog"]);
      const begin = await smallRun(folder, 2, 100_000);
      const out = `${folder}/run`;
      const child = await start("train", "--resume", begin, "--out", out, ...quick);
      const output = child.output();
      await until(child, `${out}/metrics.jsonl`);
      const second = await run("train", "--resume", begin, "--out", out, ...quick);
      check.equal("exit code of a second run", second.code, 1, "nothing is written by two");
      check.holds(
        second.stderr.trim().slice(-200),
        new RegExp(`is being written by process ${child.pid} on `).test(second.stderr),
        "it names the first one's process",
      );
      child.kill("SIGTERM");
      const { code, stderr } = await output;
      const words = new TextDecoder().decode(stderr);
      check.equal("exit code", code, 143, "128 and SIGTERM's 15");
      const { state } = readCheckpoint(await Deno.readFile(`${out}/checkpoint.safetensors`));
      check.atLeast("steps in the checkpoint", state.step, 1, "there was a line of metrics");
      check.holds(words.slice(-200), words.includes(`stopped after step ${state.step}`), "it says so");
      check.equal("the lock", await exists(`${out}/.lock`), false, "given back");
    }),
);

claim(
  "a run killed before its first checkpoint restarts by the same command, and a partial line of metrics ends no run",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder, ["cat", "dog"]);
      const begin = await smallRun(folder, 2, 3);
      const out = `${folder}/run`;
      await Deno.mkdir(out);
      await Deno.writeTextFile(
        `${out}/metrics.jsonl`,
        '{"step":1,"loss":0.9,"gradientNorm":1}\n{"step":2,"lo',
      );
      await Deno.writeTextFile(`${out}/checkpoint.safetensors.77.part`, "half");
      const again = await run("train", "--resume", begin, "--out", out, ...quick);
      check.equal("exit code", again.code, 0, again.stderr.slice(-300));
      const steps = (await Deno.readTextFile(`${out}/metrics.jsonl`)).trim().split("\n").map((line) =>
        JSON.parse(line).step
      );
      check.equal("steps in the metrics", steps, [1, 2, 3], "every line whole, each step once");
      const left = (await Array.fromAsync(Deno.readDir(out))).map(({ name }) => name).filter((name) =>
        name.endsWith(".part")
      );
      check.equal("temporary files", left, [], "removed");

      await Deno.writeTextFile(`${out}/metrics.jsonl`, '{"step":4,"lo', { append: true });
      const own = `${out}/checkpoint.safetensors`;
      const more = await run("train", "--resume", own, "--steps", "5", ...quick);
      check.equal("exit code after a torn line", more.code, 0, more.stderr.slice(-300));
      const lines = (await Deno.readTextFile(`${out}/metrics.jsonl`)).trim().split("\n").map((line) =>
        JSON.parse(line).step
      );
      check.equal("steps", lines, [1, 2, 3, 4, 5], "the torn line is dropped, its step done again");

      await Deno.remove(`${out}/model.safetensors`);
      const done = await run("train", "--resume", own, "--keep-models", ...quick);
      check.equal("all steps done, a model missing", done.code, 0, done.stderr.slice(-300));
      check.equal(
        "models",
        [await exists(`${out}/model.safetensors`), await exists(`${out}/model-000005.safetensors`)],
        [true, true],
        "written from the checkpoint",
      );
    }),
);

claim(
  "a run is not resumed with other classes, sizes or pixels, and says what has changed",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder, ["cat", "dog"]);
      const begin = await smallRun(folder, 2, 2);
      const out = `${folder}/run`;
      const first = await run("train", "--resume", begin, "--out", out, ...quick);
      check.equal("exit code", first.code, 0, first.stderr.slice(-300));
      check.holds(
        "classes and counts are printed first",
        first.stderr.includes("data: 6 images of 28×28 with 1 channel, 2 classes: cat (3), dog (3)"),
        first.stderr.slice(0, 300),
      );
      const own = `${out}/checkpoint.safetensors`;
      const refused = async (what: string, words: RegExp, ...flags: string[]) => {
        const { code, stderr } = await run("train", "--resume", own, "--steps", "9", ...quick, ...flags);
        check.equal(`${what}: exit code`, code, 1, "refused");
        check.holds(
          `${what}: ${stderr.trim().split("\n").at(-1)?.slice(-220)}`,
          words.test(stderr),
          String(words),
        );
      };
      await writeClass(folder, "cow");
      await refused("a class more", /has changed since .*: it has the new class cow/);
      await Deno.remove(`${folder}/data/cow`, { recursive: true });
      await Deno.rename(`${folder}/data/dog`, `${folder}/dog`);
      await refused("a class less", /has changed since .*: it lacks the class dog/);
      await Deno.rename(`${folder}/dog`, `${folder}/data/dog`);
      await refused(
        "another size",
        /it has images of 20×20 with 1 channel, and had images of 28×28 with 1 channel/,
        "--size",
        "20",
      );
      await Deno.copyFile(`${folder}/data/dog/0.png`, `${folder}/data/dog/1.png`);
      await refused("other pixels", /its samples are as many, but not the same or in another order/);
    }),
);

claim(
  "after a divergence the last checkpoint has a finite loss, and the advice that is printed works",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      await writeDigits(folder, ["cat", "dog"]);
      const begin = await smallRun(folder, 2, 3);
      const out = `${folder}/run`;
      const well = await run("train", "--resume", begin, "--out", out, ...quick);
      check.equal("three steps at a rate of .002", well.code, 0, well.stderr.slice(-300));
      const own = `${out}/checkpoint.safetensors`;
      const further = ["--resume", own, "--steps", "400", "--rate", "50", "--checkpoint-every", "1"];
      const failed = await run("train", ...further, ...quick);
      check.equal("exit code", failed.code, 1, "a rate of 50 diverges");
      const advice = /go on from step (\d+) with (--resume \S+ --rate [\d.]+)/.exec(failed.stderr);
      check.holds(
        failed.stderr.trim().split("\n").at(-1)?.slice(-250) ?? "",
        advice !== null,
        "it says how to go on",
      );
      if (advice === null) return;
      const { state } = readCheckpoint(await Deno.readFile(`${out}/checkpoint.safetensors`));
      check.equal("step of the checkpoint", state.step, Number(advice[1]), "the one that is named");
      const lines = (await Deno.readTextFile(`${out}/metrics.jsonl`)).trim().split("\n").map((line) =>
        JSON.parse(line)
      );
      const at = lines.find(({ step }) => step === state.step)?.loss;
      const first = lines[0].loss;
      check.atMost(
        "its loss over the first one's",
        at / first,
        10,
        "ten times the largest of the reports before is blown up",
      );
      // Each advice quarters the rate; a user who follows it comes to one that is small enough.
      let words = advice[2].split(" ");
      let more = await run("train", ...words, "--steps", "8", ...quick);
      for (let k = 0; k < 8 && more.code !== 0; k++) {
        words = /(--resume \S+ --rate [\d.]+)/.exec(more.stderr)?.[1].split(" ") ?? words;
        more = await run("train", ...words, "--steps", "8", ...quick);
      }
      check.equal("exit code in the end", more.code, 0, more.stderr.slice(-300));
      const { config, changes } = readCheckpoint(await Deno.readFile(`${out}/checkpoint.safetensors`));
      check.equal("rate", config.optimizer.rate, Number(words[3]), "as advised");
      check.equal(
        "its change in the checkpoint",
        changes?.at(-1)?.values.rate,
        [2e-3, Number(words[3])],
        "before and after",
      );
    }),
);
