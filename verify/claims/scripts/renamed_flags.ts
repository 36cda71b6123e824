/** Claims about flags, values and tasks that have a new name: the old one works for a version. @module */
import { fileURLToPath } from "node:url";
import { claim } from "../../suite/claim.ts";
import { readCommandLine } from "../../instruments/read_command_line.ts";

/** Commands with old names, refused for another reason; what stderr says of the names, and then of the reason in new ones. */
const cases: readonly (readonly [command: string, said: readonly string[], reason: RegExp])[] = [
  [
    "sample --guidance-from 2 --guidance-to 1",
    ["--guidance-from is now --guidance-min-sigma", "--guidance-to is now --guidance-max-sigma"],
    /--guidance-min-sigma must be below --guidance-max-sigma, got 2 and 1/,
  ],
  [
    "evaluate --guidance-to 3 --guidance 1",
    ["--guidance-to is now --guidance-max-sigma"],
    /--guidance-max-sigma has no effect at --guidance 1, got 3/,
  ],
  [
    "likelihood --method fixed --dequantization noise --tolerance 0.1",
    ["--method fixed is now --method rk4", "--dequantization noise is now --dequantization truncated-normal"],
    /--tolerance is for --method dopri5, got --method rk4/,
  ],
  [
    "likelihood --method adaptive --steps 4",
    ["--method adaptive is now --method dopri5"],
    /--steps is for --method rk4, got --method dopri5/,
  ],
  [
    "likelihood --method bound --smallest-noise 0.1 --probes 2",
    ["--method bound is now --method elbo", "--smallest-noise is now --min-noise"],
    /--probes is for --method rk4 or dopri5, got --method elbo/,
  ],
  [
    "interpolate --smallest-noise 5",
    ["--smallest-noise is now --min-noise"],
    /--smallest-noise must be a number/,
  ],
  [
    "elbo --chain sqrt",
    ["--chain is now --betas"],
    /--chain must be one of ddpm-linear, ddpm-cosine, ddpm-scaled-linear, ddpm-sigmoid, got "sqrt"/,
  ],
  [
    "train --chain ddpm-linear --smallest-noise 0.1 --sde vp",
    ["--chain is now --betas", "--smallest-noise is now --min-noise"],
    /--betas gives all noise levels: leave out --sde, --min-noise/,
  ],
  [
    "compare --steps 3 --evaluations 4 --churn 0.1",
    ["--evaluations is now --nfe", "--churn is now --gamma"],
    /--steps and --nfe exclude each other/,
  ],
  ...["sample", "evaluate"].map((task) =>
    [`${task} --sampler ddim --churn 0.1`, ["--churn is now --gamma"], /ddim has no option gamma/] as const
  ),
  [
    "select --churn 0.1 --count few",
    ["--churn is now --gamma"],
    /--count must be a whole number/,
  ],
  ["tune --churn 0.1 --steps 3 --sampler ddim", ["--churn is now --gamma"], /ddim has no option gamma/],
  [
    "restore --churn 0.1 --operator pool2 --blur 3",
    ["--churn is now --gamma"],
    /--blur is for --operator blur/,
  ],
  [
    "inpaint --churn 0.1 --hidden 0.3",
    ["--churn is now --gamma", "--hidden is now --hidden-fraction"],
    /--hidden-fraction is/,
  ],
  ["colorize --churn 0.1 --iterations 3", ["--churn is now --gamma"], /--iterations is for --method/],
  ["inpaint --hidden 0.3", ["--hidden is now --hidden-fraction"], /--hidden-fraction is for --mask random/],
];

claim(
  "tasks take the old names of their flags and values and say the new ones",
  { engines: ["wasm"] },
  async (check) => {
    for (const [command, said, reason] of cases) {
      const [task, ...args] = command.split(" ");
      const { code, stderr } = await readCommandLine(task, ...args);
      const lines = stderr.trim().split("\n");
      check.equal(
        command,
        { code, lines: lines.slice(0, -1), reason: reason.test(lines.at(-1)!) ? "" : lines.at(-1) },
        { code: 2, lines: said.map((line) => `${line}; the next version refuses the old name`), reason: "" },
        "a line for each old name, and then the refusal in new ones",
      );
    }
  },
);

claim(
  "deno task bound passes its flags on to deno task elbo and says so",
  { engines: ["wasm"] },
  async (check) => {
    const config = fileURLToPath(new URL("../../../deno.json", import.meta.url));
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "--config", config, "bound", "--limit", "few"],
      env: { NO_COLOR: "1" },
    }).output();
    const lines = new TextDecoder().decode(stderr).trim().split("\n");
    check.equal("exit code", code, 2, "bad usage of elbo");
    check.equal(
      "first line",
      lines[0],
      "deno task bound is now deno task elbo; the next version refuses the old name",
      "",
    );
    check.holds("last line", /^error: --limit must be .*, got "few"$/.test(lines.at(-1)!), lines.at(-1)!);
  },
);
