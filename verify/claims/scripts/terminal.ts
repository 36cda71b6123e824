/** Claims about what tasks print: names and texts from files change nothing else on a terminal, and devices are no files. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { encodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";

/** Clears a terminal, sets its title and turns text around. */
const HOSTILE = "\u001b[2J\u001b]0;evil\u0007\u202e";

/** A picture that is 28 pixels high and wide. */
function picture(seed: number): Uint8Array {
  const { images } = proceduralDigits(1, createRng(seed));
  const data = new Uint8Array(4 * 784).fill(255);
  images.forEach((value, at) => data.fill(value, 4 * at, 4 * at + 3));
  return encodePng({ width: 28, height: 28, data });
}

const control = /(?!\n)[\p{Cc}\u202e]/u;

claim("control characters in names of files and classes are escaped in what tasks print", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    for (const name of ["one", `two${HOSTILE}`]) {
      await Deno.mkdir(`${folder}/data/${name}`, { recursive: true });
      for (const seed of [1, 2]) await Deno.writeFile(`${folder}/data/${name}/${seed}.png`, picture(seed));
    }
    await Deno.writeFile(`${folder}/data/one/${HOSTILE}.png`, picture(3).subarray(0, 60));
    const train = [
      "--data",
      `${folder}/data`,
      "--size",
      "16",
      "--steps",
      "1",
      "--batch",
      "2",
      "--engine",
      "wasm",
    ];
    const [refused, trained, missing] = await Promise.all([
      run("train", ...train, "--out", `${folder}/a`),
      run("train", ...train, "--skip-corrupt", "--out", `${folder}/b`),
      run("sample", "--checkpoint", `${folder}/none${HOSTILE}`, "--output", `${folder}/c.png`),
    ]);
    check.equal(
      "exit codes",
      [refused.code, trained.code, missing.code],
      [1, 0, 1],
      "damaged, left out, not there",
    );
    for (const [what, { stdout, stderr }] of Object.entries({ refused, trained, missing })) {
      check.holds(`${what}: no control characters`, !control.test(stdout + stderr), "each is escaped");
      check.holds(`${what}: named`, (stdout + stderr).includes("\\u001b[2J"), "as it is spelled in JSON");
    }
  }));

claim("a device, a folder and a batch beyond any memory are refused in one sentence", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    const digits = ["--data", "digits", "--steps", "1", "--out", `${folder}/run`];
    const cases: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
      [
        ["sample", "--checkpoint", "/dev/zero", "--output", `${folder}/a.png`],
        1,
        /"\/dev\/zero": it is no plain file$/m,
      ],
      [["sample", "--checkpoint", folder, "--output", `${folder}/b.png`], 1, /it is no plain file$/m],
      [
        ["train", ...digits, "--resume", "/dev/zero"],
        1,
        /cannot resume from \/dev\/zero: it is no plain file$/m,
      ],
      [
        ["train", ...digits, "--from", "/dev/zero"],
        1,
        /cannot begin with \/dev\/zero: it is no plain file$/m,
      ],
      [
        ["train", ...digits, "--batch", "200000"],
        2,
        /--batch must be a whole number from 1 to 65536, got "200000"$/m,
      ],
    ];
    await Promise.all(cases.map(async ([[task, ...args], code, message]) => {
      const { stderr, ...result } = await run(task, ...args);
      const said = message.test(stderr) ? String(message) : stderr;
      check.equal(
        `deno task ${task} ${args.join(" ")}`,
        [result.code, said],
        [code, String(message)],
        "one sentence",
      );
    }));
  }));
