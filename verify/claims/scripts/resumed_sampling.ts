/** Claims about sampling that is killed and resumed, and about the files that it writes. @module */
import { PartialNpy } from "../../../scripts/sampling/resumable_npy.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run, start } from "../../instruments/run_task.ts";
import { flagsFor, withCheckpoint } from "../../instruments/small_checkpoint.ts";

function fileNames(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.includes("npy")).sort();
}

claim("a killed run that is resumed writes the bytes of an uninterrupted one, partial writes included", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const flags = flagsFor(folder);
    const [whole, killed] = [`${folder}/whole.npy`, `${folder}/killed.npy`];
    const process = await start("sample", ...flags, "--output", killed);
    // Killed without warning when at least two batches are finished.
    const enough = 128 + 2 * 4 * 784 * 4;
    while ((await Deno.stat(`${killed}.partial`).catch(() => ({ size: 0 }))).size < enough) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    process.kill("SIGKILL");
    await process.output();
    const left = ["killed.npy.lock", "killed.npy.partial", "killed.npy.partial.json"];
    check.equal("what a kill leaves", fileNames(folder), left, "never a .npy with missing samples");
    const { size } = await Deno.stat(`${killed}.partial`);
    await Deno.writeFile(`${killed}.partial`, new Uint8Array(4 * 784 * 5 / 2).fill(7), { append: true });

    const other = await run("sample", ...flags, "--output", killed, "--resume", "--seed", "1");
    check.equal("another seed: exit code", other.code, 1, "samples of two seeds do not go into one file");
    check.holds(
      `another seed: ${other.stderr.trim()}`,
      /its seed is "0", now it is "1"\n$/.test(other.stderr),
      "",
    );
    const anew = await run("sample", ...flags, "--output", killed);
    check.equal("without --resume: exit code", anew.code, 1, "hours of work are not overwritten unasked");
    check.holds(
      `without --resume: ${anew.stderr.trim()}`,
      /holds \d+ finished of 30: go on/.test(anew.stderr),
      "",
    );
    // The half sample was dropped only when it went on; whole samples of an incomplete batch are drawn again.
    check.atLeast(
      "samples kept",
      Math.floor((size - 128) / (4 * 784)),
      8,
      "two batches of 4 were on the disk",
    );

    const resumed = await run("sample", ...flags, "--output", killed, "--resume");
    const straight = await run("sample", ...flags, "--output", whole);
    check.equal("exit codes", [resumed.code, straight.code], [0, 0], "0 is success");
    const bytes = await Deno.readFile(whole);
    const source = "a sample's draws depend on the seed and its index alone";
    check.equal("bytes of the resumed run", await Deno.readFile(killed), bytes, source);
    check.equal("shape", readNpy(bytes).shape, [30, 28, 28, 1], "--count 30");
    check.equal(
      "files",
      fileNames(folder),
      ["killed.npy", "killed.npy.json", "whole.npy", "whole.npy.json"],
      "the arrays and what they are of",
    );
    const again = await run("sample", ...flags, "--output", killed, "--resume");
    check.equal("--resume of a finished file: exit code", again.code, 0, "there is nothing to do");
    check.holds(again.stderr.trim(), /is finished: all 30 digits are there/.test(again.stderr), "it says so");
    const different = await run("sample", ...flags, "--output", killed, "--resume", "--seed", "1");
    check.equal(
      "--resume of a finished file by another seed: exit code",
      different.code,
      1,
      "it is another run's",
    );
    const nothing = await run("sample", ...flags, "--output", `${folder}/new.npy`, "--resume");
    check.equal("--resume with nothing there: exit code", nothing.code, 0, "it starts from the beginning");
    check.equal("its bytes", await Deno.readFile(`${folder}/new.npy`), bytes, source);
  }));

claim("sampling that is killed at random times ends with the bytes of an uninterrupted run", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const flags = flagsFor(folder);
    const [whole, killed] = [`${folder}/whole.npy`, `${folder}/killed.npy`];
    const straight = await run("sample", ...flags, "--output", whole);
    check.equal("an undisturbed run", straight.code, 0, straight.stderr.slice(-300));
    const rng = createRng(check.seed).fork("kills");
    let [kills, finished] = [0, 0];
    for (const wanted = check.thorough ? 60 : 3; kills < wanted;) {
      const child = await start("sample", ...flags, "--output", killed, "--resume");
      const [share] = rng.uniformValues([1]);
      // A scheduler asks first; a process that has not yet begun to draw is ended by that at once.
      const sent = kills % 2 === 0 ? "SIGKILL" : "SIGTERM";
      const timer = setTimeout(() => child.kill(sent), 250 + 1500 * share);
      const { signal, code } = await child.output();
      clearTimeout(timer);
      if (signal === sent || code === 143) kills++;
      else if (code !== 0) throw new Error(`exit code ${code} after ${kills} kills`);
      // The next kill needs something to disturb.
      if (await Deno.stat(killed).then(() => true, () => false)) {
        finished++;
        check.equal(
          `bytes of finished run ${finished}`,
          await Deno.readFile(killed),
          await Deno.readFile(whole),
          "the same samples",
        );
        for (const ending of ["", ".json"]) await Deno.remove(killed + ending).catch(() => {});
      }
    }
    // A kill between a temporary file and its new name leaves one; here are those of two files, and one of another run's.
    for (const name of ["killed.npy.7.part", "killed.npy.partial.json.7.part", "killed.npyx.7.part"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "half");
    }
    const last = await run("sample", ...flags, "--output", killed, "--resume");
    check.equal("the last resume", last.code, 0, last.stderr.slice(-300));
    check.equal("its bytes", await Deno.readFile(killed), await Deno.readFile(whole), "the same samples");
    check.equal(
      "files",
      fileNames(folder),
      ["killed.npy", "killed.npy.json", "killed.npyx.7.part", "whole.npy", "whole.npy.json"],
      "the arrays and what they are of; no locks, no partial files, and what is another run's",
    );
  }));

claim("SIGTERM ends sampling after a batch or step, says how to go on, and gives the output back", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const output = `${folder}/asked.npy`;
    const child = await start("sample", ...flagsFor(folder), "--steps", "200", "--output", output);
    const enough = 128 + 2 * 4 * 784 * 4;
    while ((await Deno.stat(`${output}.partial`).catch(() => ({ size: 0 }))).size < enough) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill("SIGTERM");
    const { code, stderr } = await child.output();
    check.equal("exit code", code, 143, "128 and SIGTERM's 15");
    const words = new TextDecoder().decode(stderr).trim();
    const [, finished] = /stopped after (\d+) of 30 digits; go on with --resume$/.exec(words) ?? [];
    check.holds(words.slice(-100), Number(finished) >= 8, "at least the two batches that were there");
    check.equal(
      "what is left",
      fileNames(folder),
      ["asked.npy.partial", "asked.npy.partial.json"],
      "what is finished, and no lock: another machine may go on",
    );
  }));

claim(
  "two writers of one array, where no lock keeps them apart, are noticed before it gets its name",
  (check) =>
    withFolder(async (folder) => {
      const rows = [1, 2, 3].map((value) => Float32Array.of(value, value));
      const options = { path: `${folder}/a.npy`, shape: [3, 2], run: { seed: 1 }, resume: true };
      {
        using first = await PartialNpy.open(options);
        await first.append(rows[0], 1);
        using second = await PartialNpy.open(options);
        for (const row of rows.slice(1)) {
          await first.append(row, 1);
          await second.append(row, 1);
        }
        for (const writer of [first, second]) {
          await check.throws(
            "of the same run",
            () => writer.finish(),
            /^another process has written ".*a\.npy\.partial", too: /,
          );
        }
        check.equal(
          "files",
          fileNames(folder),
          ["a.npy.partial", "a.npy.partial.json"],
          "none that looks finished",
        );
      }
      const problems: string[] = [];
      {
        using alone = await PartialNpy.open({
          ...options,
          onDamage: (problem) => void problems.push(problem),
        });
        check.equal("what a resume says", problems.length, 1, "batches are twice in the record");
        for (const row of rows.slice(alone.finished)) await alone.append(row, 1);
        await alone.finish();
      }
      const { values } = readNpy(await Deno.readFile(options.path));
      check.equal("the array in the end", [...values], [1, 1, 2, 2, 3, 3], "that of one writer");
      await Deno.remove(options.path);

      using first = await PartialNpy.open(options);
      using second = await PartialNpy.open({ ...options, run: { seed: 2 } });
      for (const row of rows) await first.append(row, 1);
      await check.throws("of another run", () => first.finish(), /^another process has written /);
      await check.throws("the other one", () => second.finish(), /holds 0 of 3 and is not complete$/);
    }),
);

claim("a second run into a file that is being written is refused, and names the first one's process", {
  engines: ["wasm"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const output = `${folder}/digits.npy`;
    const flags = [...flagsFor(folder), "--steps", "300", "--output", output];
    const first = await start("sample", ...flags);
    const ended = first.output();
    let running = true;
    ended.then(() => running = false);
    while (running && !await Deno.stat(`${output}.lock`).then(({ size }) => size > 0, () => false)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const second = await run("sample", ...flags, "--seed", "1");
    if (running) first.kill("SIGKILL");
    await ended;
    check.equal("exit code", second.code, 1, "never samples of two runs in one file");
    check.holds(
      second.stderr.trim(),
      new RegExp(`digits\\.npy" is being written by process ${first.pid} on `).test(second.stderr),
      "it names the first one",
    );
  }));

claim(
  "a partial array is renamed only when complete, and an empty one leaves no file",
  (check) =>
    withFolder(async (folder) => {
      const options = { path: `${folder}/a.npy`, shape: [3, 2], run: { seed: 1 }, resume: true };
      (await PartialNpy.open(options))[Symbol.dispose]();
      check.equal("after a run without a sample", fileNames(folder), [], "nothing to go on with");
      {
        using file = await PartialNpy.open(options);
        await file.append(Float32Array.of(1, 2, 3, 4), 2);
        await check.throws("finishing too early", () => file.finish(), /holds 2 of 3 and is not complete$/);
      }
      {
        using file = await PartialNpy.open(options);
        check.equal("samples to go on with", file.finished, 2, "one batch of 2");
        await file.append(Float32Array.of(5, 6), 1);
        await file.finish();
      }
      {
        using file = await PartialNpy.open({ ...options, path: `${folder}/b.npy` });
        await file.append(Float32Array.of(1, 2), 1);
        await file.append(Float32Array.of(3, 4), 1);
      }
      const [partial, record] = [`${folder}/b.npy.partial`, `${folder}/b.npy.partial.json`];
      const flipped = await Deno.readFile(partial);
      flipped[flipped.length - 3] ^= 1;
      await Deno.writeFile(partial, flipped);
      await check.throws(
        "a flipped bit of the second sample",
        () => PartialNpy.open({ ...options, path: `${folder}/b.npy` }),
        /samples from 2 on in ".*b\.npy\.partial" are not what was written$/,
      );
      const problems: string[] = [];
      {
        const kept = {
          ...options,
          path: `${folder}/b.npy`,
          onDamage: (problem: string) => void problems.push(problem),
        };
        using file = await PartialNpy.open(kept);
        check.equal("samples kept", [file.finished, problems.length], [1, 1], "those before the damage");
      }
      await Deno.writeFile(partial, new Uint8Array(10_000), { append: true });
      for (
        const [what, write] of [
          ["damaged", () => Deno.writeTextFile(record, '{"seed":')],
          ["gone", () => Deno.remove(record)],
        ] as const
      ) {
        await write();
        for (const resume of [false, true]) {
          await check.throws(
            `a record that is ${what}, resume ${resume}`,
            () => PartialNpy.open({ ...options, path: `${folder}/b.npy`, resume }),
            new RegExp(`holds samples, but its record ".*" is ${what}: remove both to draw them again$`),
          );
        }
      }
      const { shape, values } = readNpy(await Deno.readFile(options.path));
      check.equal("the array", [shape, [...values]], [[3, 2], [1, 2, 3, 4, 5, 6]], "what was appended");
    }),
);
