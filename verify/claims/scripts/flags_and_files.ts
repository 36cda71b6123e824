/**
 * Claims about what all scripts share: flags, progress bars, files written whole.
 * @module
 */
import { atomicWrite, ensureWritable } from "../../../scripts/cli/files.ts";
import {
  checkDeno,
  choice,
  HelpRequest,
  helpText,
  integer,
  list,
  number,
  parseFlags,
  text,
  toggle,
} from "../../../scripts/cli/flags.ts";
import { spread } from "../../../scripts/bench/table.ts";
import { formatBytes, formatDuration, formatRate, ProgressBar } from "../../../scripts/cli/terminal.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";

const usage = {
  name: "fly",
  purpose: "Flies.",
  flags: {
    seed: integer({ help: "the seed", default: 0, min: 0, max: 100 }),
    guidanceScale: number({ help: "how far", min: -1 }),
    engine: choice(["wasm", "onnx"], { help: "what computes", default: "wasm" }),
    engines: list(choice(["wasm", "onnx"], { help: "what to compare" }), ["wasm"]),
    json: toggle({ help: "for machines" }),
    denoise: toggle({ help: "skip the last denoise", default: true }),
    output: text({ help: "the file", placeholder: "FILE" }),
  },
};

claim("help states the range of every number", (check) => {
  const help = helpText(usage);
  for (
    const [flag, range] of [["--seed N", "the seed [0 to 100] (default 0)"], [
      "--guidance-scale X",
      "how far [-1 up]",
    ]]
  ) {
    const line = help.split("\n").find((line) => line.includes(flag)) ?? "";
    check.equal(
      flag,
      line.slice(line.indexOf(flag) + flag.length).trim(),
      range,
      "from the flag's definition",
    );
  }
});

claim("a Deno older than the project needs fails with one sentence", async (check) => {
  for (const version of ["2.5.0", "2.5.6", "2.9.6", "2.10.0", "3.0.0", "2.6.0-rc.1+abc"]) {
    check.equal(version, checkDeno(version), undefined, "2.5.0 and 2.5.6 were tried");
  }
  const source = /^Deno 2\.5\.0 or newer is needed, this is .*: deno upgrade$/;
  for (const version of ["2.4.4", "2.1.14", "1.46.3"]) {
    await check.throws(version, () => checkDeno(version), source);
  }
});

claim(
  "flags read every kind of value, negative numbers included, and fall back to their defaults",
  (check) => {
    const source = "the declaration in the claim";
    const defaults = {
      seed: 0,
      guidanceScale: undefined,
      engine: "wasm",
      engines: ["wasm"],
      json: false,
      denoise: true,
      output: undefined,
    };
    check.equal("no flags", parseFlags(usage, []), defaults, source);
    const args =
      "--seed=7 --guidance-scale -2.5e-1 --engine onnx --engines wasm,onnx --json --no-denoise --output=a=b";
    check.equal("all flags", parseFlags(usage, args.split(" ")), {
      seed: 7,
      guidanceScale: -0.25,
      engine: "onnx",
      engines: ["wasm", "onnx"],
      json: true,
      denoise: false,
      output: "a=b",
    }, source);
    check.equal("the last one counts", parseFlags(usage, ["--seed", "1", "--seed", "2"]).seed, 2, source);
  },
);

claim("an old name of a flag or a value works, and one line on stderr gives the new one", async (check) => {
  const renaming = {
    ...usage,
    flags: {
      ...usage.flags,
      method: choice(["rk4", "dopri5"], {
        help: "the solver",
        default: "rk4",
        renamed: { fixed: "rk4", adaptive: "dopri5" },
      }),
    },
    renamed: { scale: "guidanceScale", final: "denoise", solver: "method" },
  };
  const lines: string[] = [];
  const { error } = console;
  console.error = (line) => lines.push(line);
  let values: unknown;
  try {
    values = parseFlags(renaming, "--scale 2 --no-final --solver adaptive --seed 3".split(" "));
    parseFlags(renaming, "--guidance-scale 2 --no-denoise --method dopri5".split(" "));
  } finally {
    console.error = error;
  }
  const source = "the declaration in the claim";
  const expected = {
    ...parseFlags(renaming, []),
    guidanceScale: 2,
    denoise: false,
    method: "dopri5",
    seed: 3,
  };
  check.equal("values", values, expected, source);
  const now = (old: string, current: string) =>
    `${old} is now ${current}; the next version refuses the old name`;
  check.equal("lines on stderr", lines, [
    now("--scale", "--guidance-scale"),
    now("--final", "--denoise"),
    now("--solver", "--method"),
    now("--solver adaptive", "--solver dopri5"),
  ], "none for the new names");
  const help = helpText(renaming);
  check.holds("help without old names", !/--scale|--final|--solver|fixed|adaptive/.test(help), source);
  for (
    const [line, message] of [
      ["--scale far", /^--scale must be a number from -1 up, got "far"$/],
      ["--method slow", /^--method must be one of rk4, dopri5, got "slow"$/],
      ["--method constructor", /^--method must be one of rk4, dopri5, got "constructor"$/],
    ] as const
  ) await check.throws(line, () => parseFlags(renaming, line.split(" ")), message);
});

claim(
  "an invalid command line is refused in one sentence that names the value and what is allowed",
  async (check) => {
    const cases: readonly [string, RegExp][] = [
      ["--seed 101", /^--seed must be a whole number from 0 to 100, got "101"$/],
      ["--seed -1", /^--seed must be a whole number from 0 to 100, got "-1"$/],
      ["--seed 1.5", /^--seed must be a whole number .* got "1.5"$/],
      ["--seed 0x10", /^--seed must be a whole number .* got "0x10"$/],
      ["--seed", /^--seed needs a value \(N\)$/],
      ["--seed --json", /^--seed needs a value \(N\)$/],
      ["--guidance-scale NaN", /^--guidance-scale must be a number from -1 up, got "NaN"$/],
      ["--guidance-scale Infinity", /got "Infinity"$/],
      ["--guidance-scale 1e999", /got "1e999"$/],
      ["--engine cuda", /^--engine must be one of wasm, onnx, got "cuda"$/],
      ["--engine toString", /^--engine must be one of wasm, onnx, got "toString"$/],
      ["--engines wasm,cuda", /^--engines must be one of wasm, onnx, got "cuda"$/],
      ["--json=yes", /^--json takes no value, got "yes"$/],
      ["--output=", /^--output needs a value that is not empty$/],
      [
        "--guidanceScale 1",
        /^unknown flag --guidanceScale: the flags are --seed, --guidance-scale, .*--no-denoise.*--help$/,
      ],
      ["--constructor 1", /^unknown flag --constructor: the flags are /],
      ["--no-seed", /^unknown flag --no-seed: the flags are /],
      ["-s 1", /^unknown flag -s: the flags are /],
      ["samples.png", /^unexpected argument "samples.png": the flags are /],
      ["-- --json", /^unexpected argument "--json": the flags are /],
    ];
    for (const [line, message] of cases) {
      await check.throws(line, () => parseFlags(usage, line.split(" ")), message);
    }
  },
);

claim("--help explains every flag with its default and wins over flags that follow it", (check) => {
  let help = "";
  try {
    parseFlags(usage, ["--help", "--seed", "wrong"]);
  } catch (error) {
    if (error instanceof HelpRequest) help = error.message;
  }
  const source = "the declaration in the claim";
  check.holds("a usage line", help.includes("Usage: deno task fly [flags]"), source);
  check.holds("a default", /--seed N +the seed \[0 to 100\] \(default 0\)/.test(help), source);
  check.holds("what turns a switch off", /--no-denoise +skip the last denoise\n/.test(help), source);
  check.holds("the choices", /--engine wasm\|onnx +what computes \(default wasm\)/.test(help), source);
  check.holds("no default where there is none", /--output FILE +the file\n/.test(help), source);
});

claim("a progress bar counts from where the work resumed, redraws sparingly and clears its line", (check) => {
  let time = 0;
  const written: string[] = [];
  const options = { label: "training", total: 120, unit: "steps", initial: 20, now: () => time };
  const bar = new ProgressBar({ ...options, terminal: true, write: (text) => written.push(text) });
  time = 10_000;
  bar.update(70, "loss 31.7");
  bar.update(71);
  bar.finish();
  const expected = `\r\x1b[Ktraining ${"█".repeat(14)}${
    "░".repeat(10)
  } 70/120 steps, 5.00 steps/s, 10.0 s left, loss 31.7`;
  check.equal(
    "what a terminal sees",
    written,
    [expected, "\r\x1b[K"],
    "50 steps in 10 s; 50 of 120 are left",
  );

  const plain: string[] = [];
  const pipe = new ProgressBar({ ...options, terminal: false, write: (text) => plain.push(text) });
  for (time = 10_000; time <= 71_000; time += 1000) pipe.update(20 + (time - 10_000) / 1000);
  pipe.finish();
  check.equal(
    "what a pipe sees in a minute",
    plain,
    [
      "training 25/120 steps, 1.00 steps/s, 1 min 35 s left\n",
      "training 55/120 steps, 1.00 steps/s, 1 min 05 s left\n",
    ],
    "a line after 5 s, and then every 30 s",
  );
});

claim("durations, rates, sizes and standard deviations are printed in readable units", (check) => {
  const source = "rounded by hand";
  check.equal("durations", [0.4249, 9.999, 59.96, 185, 3599.7, 7620].map(formatDuration), [
    "0.42 s",
    "10.0 s",
    "1 min 00 s",
    "3 min 05 s",
    "1 h 00 min",
    "2 h 07 min",
  ], source);
  check.equal("rates", [12.34, 0.5, 0.01].map((rate) => formatRate(rate, "steps")), [
    "12.3 steps/s",
    "30.0 steps/min",
    "36.0 steps/h",
  ], source);
  check.equal(
    "smallest, middle and largest",
    [spread([3, 1, 2]), spread([4, 1, 2, 3])],
    [{ min: 1, median: 2, max: 3 }, { min: 1, median: 2.5, max: 4 }],
    source,
  );
  check.equal(
    "sizes",
    [0, 999, 1940, 2.5e9].map(formatBytes),
    ["0 B", "999 B", "1.94 kB", "2.50 GB"],
    source,
  );
});

claim("a file is written whole or not at all", (check) =>
  withFolder(async (folder) => {
    const path = `${folder}/a.bin`;
    const source = "the bytes that were given";
    await atomicWrite(path, new Uint8Array(3).fill(1));
    const bytes = new Uint8Array(1 << 20).map((_, i) => i);
    await atomicWrite(path, bytes);
    check.equal("the second writing replaced the first", await Deno.readFile(path), bytes, source);
    const atOnce = [1, 2, 3].map((value) => atomicWrite(path, new Uint8Array(1 << 16).fill(value)));
    await Promise.all(atOnce);
    check.equal("after three writings at once", new Set(await Deno.readFile(path)), new Set([3]), "the last");
    await Deno.mkdir(`${folder}/taken`);
    await check.throws(
      "onto a folder",
      () => atomicWrite(`${folder}/taken`, bytes),
      /^could not write ".*taken": /,
    );
    await check.throws(
      "asked beforehand",
      () => ensureWritable(`${folder}/taken`),
      /it exists and is no plain file$/,
    );
    await check.throws(
      "no folder",
      () => ensureWritable(`${folder}/none/a.png`),
      /there is no folder ".*none"$/,
    );
    const left = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
    check.equal(
      "nothing else is left in the folder",
      left,
      ["a.bin", "taken"],
      "only the two were asked for",
    );
  }));
