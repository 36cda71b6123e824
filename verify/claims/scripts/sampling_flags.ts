/**
 * Claims about the flags that scripts which draw share, and about what `deno task compare` plans.
 * @module
 */
import { type ComparisonSettings, planComparison } from "../../../src/runs/comparison_plan.ts";
import { sdes } from "../../../scripts/sampling/sampling.ts";
import { drawLabels } from "../../../src/runs/sampling.ts";
import {
  labelFlags,
  readLabelGuidance,
  readSampling,
  samplingFlags,
} from "../../../scripts/sampling/flags.ts";
import { helpText, numbers, parseFlags } from "../../../scripts/cli/flags.ts";
import { openSampling } from "../../../src/runs/sampling.ts";
import { createRng } from "../../../src/compute/rng.ts";
import { scoreSamplerNames } from "../../../src/samplers/registry.ts";
import { samplerOptionNames } from "../../../src/samplers/sampler_info.ts";
import { claim } from "../../suite/claim.ts";

const usage = { name: "draw", purpose: "Draws.", flags: { ...samplingFlags, ...labelFlags } };

claim(
  "a sampler's flags give that sampler with its options, on its default grid or the one asked for",
  (check) => {
    const sampling = (line: string) => {
      const { sde, sampler, grid } = openSampling(readSampling(parseFlags(usage, line.split(" "))));
      return [sde.config.kind, sampler.name, grid];
    };
    const source = "the flags in the claim and the catalogue";
    check.equal(
      "a grid and steps",
      sampling("--sde vp --sampler unipc --grid log-snr --steps 7"),
      ["vp", "unipc", { kind: "log-snr", steps: 7 }],
      source,
    );
    check.equal(
      "a shifted grid",
      sampling("--sde flow --sampler ode-euler --grid shifted --shift 1.5 --steps 7"),
      ["flow", "ode-euler", { kind: "shifted", steps: 7, shift: 1.5 }],
      source,
    );
    check.equal(
      "a grid of another kind than the sampler's, which has ρ = 5",
      sampling("--sampler dpm++2m --grid polyexponential")[2],
      { kind: "polyexponential", steps: 10 },
      source,
    );
    check.equal(
      "the sampler's own",
      sampling("--sampler ode-rk4"),
      ["ve", "ode-rk4", { kind: "uniform", steps: 50 }],
      source,
    );
    check.equal(
      "a predictor",
      sampling("--sampler predictor-corrector --predictor dpm++2s --steps 9 --sde subvp")[1],
      "dpm++2s with langevin",
      source,
    );
    check.equal(
      "part of the posterior's noise",
      sampling("--sampler ddim --eta 0.5")[1],
      "ddim with eta 0.5",
      source,
    );
    const guidance = (line: string) => readLabelGuidance(parseFlags(usage, line.split(" "))).scale;
    check.equal("guidance without a label", guidance("--label none"), 1, "there is nothing to follow");
    check.equal("guidance as asked for", guidance("--label 3 --guidance 2"), 2, source);
  },
);

claim(
  "a sampler's name elsewhere stands for its flags, and one without a counterpart is refused",
  async (check) => {
    const sampling = (...words: string[]) => readSampling(parseFlags(usage, words));
    const pairs: readonly (readonly [string[], string[]])[] = [
      [["--sampler", "DPM++ 2M Karras"], ["--sampler", "dpm++2m", "--grid", "karras"]],
      [["--sampler", "euler a", "--steps", "7"], ["--sampler", "ancestral", "--steps", "7"]],
      [["--sampler", "DPM++ 2M Karras", "--grid", "log-snr"], ["--sampler", "dpm++2m", "--grid", "log-snr"]],
      [["--grid", "uniform", "--sampler", "Heun Exponential"], [
        "--sampler",
        "edm-heun",
        "--grid",
        "uniform",
      ]],
      [["--sampler", "Heun Exponential"], ["--sampler", "edm-heun", "--grid", "log-snr"]],
      [["--sampler", "UniPC bh1 Karras", "--solver-order", "3"], [
        ..."--sampler unipc --grid karras --solver-order 3".split(" "),
        ..."--b-function bh1 --solver-prediction data".split(" "),
      ]],
      [["--sampler", "Flow Euler"], ["--sampler", "ode-euler", "--sde", "flow", "--grid", "shifted"]],
    ];
    for (const [words, same] of pairs) {
      check.equal(words.join(" "), sampling(...words), sampling(...same), "docs/names.md");
    }
    await check.throws(
      "no counterpart",
      () => sampling("--sampler", "vABSampler Karras"),
      /^--sampler "vABSampler Karras" is not here \(docs\/names\.md\); nearest: lms$/,
    );
    const alone = { name: "draw", purpose: "Draws.", flags: { sampler: samplingFlags.sampler } };
    await check.throws(
      "a task without grids",
      () => parseFlags(alone, ["--sampler", "DPM++ 2M Karras"]),
      /^--sampler "DPM\+\+ 2M Karras" stands for --grid karras, too, which this task does not have$/,
    );
  },
);

claim("--shift without a shifted grid is refused", async (check) => {
  for (const line of ["--shift 2", "--shift 2 --grid uniform"]) {
    await check.throws(
      line,
      () => readSampling(parseFlags(usage, line.split(" "))),
      /^--shift is of shifted grids: it needs --grid shifted, got (none|uniform)$/,
    );
  }
});

claim("every option of samplers is a flag whose help has its defaults", (check) => {
  const help = helpText(usage).replaceAll(/\s+/g, " ");
  check.equal(
    "flags",
    samplerOptionNames.filter((name) => !Object.hasOwn(samplingFlags, name)),
    [],
    "the registry",
  );
  const shown = [
    ["--gamma X γ", "(default 0.15 for edm-stochastic)"],
    ["--s-churn X S_churn", "(default γ (steps + 1) for edm-stochastic)"],
    ["--s-tmin X S_tmin", "(default 0 for edm-stochastic)"],
    ["--s-tmax X S_tmax", "(default Infinity for edm-stochastic)"],
    ["--s-noise X S_noise", "(default 1 for edm-stochastic, sde-dpm++2m, "],
    ["--corrector-steps N", "(default 1 for predictor-corrector; 100 for annealed-langevin)"],
    ["--rtol X", "(default 1e-5 for ode-dopri5; 0.05 for adaptive-sde, dpm-solver-adaptive)"],
  ];
  for (const [flag, fallback] of shown) {
    const text = help.slice(help.indexOf(flag)).split(" --")[0];
    check.holds(
      `${flag}: ${fallback}`,
      help.includes(flag) && text.includes(fallback),
      "the sampler's own function",
    );
  }
});

claim(
  "cycled classes depend on the sample's index alone, and are absent where the network has no classes",
  (check) => {
    const from = (first: number, classes = 10) =>
      drawLabels("cycle", classes, createRng(0).startingAt(first), 4);
    check.equal("samples 8 to 11", from(8), [8, 9, 0, 1], "the sample's index modulo the classes");
    check.equal("of a network without classes", from(8, 0), null, "nothing to ask for");
  },
);

claim(
  "impossible combinations of flags are refused in one sentence that says what is possible",
  async (check) => {
    const cases: readonly [string, RegExp][] = [
      ["--sampler ode-dopri5 --rtol 0", /^rtol must be a positive number, got 0$/],
      ["--sampler adaptive-sde --atol 0", /^atol must be a positive number, got 0$/],
      ["--sampler ode-dopri5 --atol -1", /^--atol must be a number from 0 up, got "-1"$/],
      ["--sampler dpm++2m --rtol 0.1", /^dpm\+\+2m has no option rtol; it has lastStep, solverType$/],
      [
        "--sampler annealed-langevin --snr 0.1",
        /^annealed-langevin has no option snr; it has correctorSteps, langevinStep$/,
      ],
      ["--sampler ancestral --eta 0.5", /^ancestral has no option eta; it has none$/],
      ["--sampler edm-stochastic --gamma 0.5", /^--gamma must be a number from 0 to 0.4142, got "0.5"$/],
      [
        "--sampler edm-stochastic --gamma 0.1 --s-churn 2",
        /^--s-churn and --gamma exclude each other: leave one of them out$/,
      ],
      ["--sampler predictor-corrector --snr 0", /^snr must be a positive number, got 0$/],
      [
        "--sampler predictor-corrector --predictor unipc",
        /^unipc cannot be a predictor: it goes by its earlier states, .*; use one of /,
      ],
      ["--predictor ddim", /^dpm\+\+2m has no option predictor; it has lastStep, solverType$/],
      ["--sampler dpm", /^--sampler must be one of euler-maruyama, .*, got "dpm"$/],
      ["--label ", /^--label must be a class by its number from 0 or its name, random or none, got ""$/],
    ];
    for (const [line, message] of cases) {
      await check.throws(line, () => readSampling(parseFlags(usage, line.split(" "))), message);
    }
    const unlabelled = parseFlags(usage, ["--label", "none", "--guidance", "2"]);
    await check.throws(
      "guidance to nowhere",
      () => readLabelGuidance(unlabelled),
      /^--guidance needs a label, got 2/,
    );
    for (
      const [line, message] of [
        ["--classifier-scale 2", /^--classifier-scale needs a label, got 2 with --label none$/],
        ["--classifier-scale 2 --guidance-max-sigma 3", /^--guidance-max-sigma needs a label, got 3 with/],
        ["--guidance-max-sigma 3 --guidance-min-sigma 1", /^--guidance-min-sigma needs a label, got 1 with/],
        ["--guidance-min-sigma 1 --guidance 2", /^--guidance needs a label, got 2 with/],
      ] as const
    ) {
      const flags = parseFlags(usage, `--label none ${line}`.split(" "));
      await check.throws(`${line}, without a label`, () => readLabelGuidance(flags), message);
    }
  },
);

claim("values to search are a list or a range with both ends, without float64's rounding", async (check) => {
  const search = { name: "f", purpose: "F.", flags: { at: numbers({ help: "where", min: 0, max: 9 }) } };
  const read = (text: string) => parseFlags(search, ["--at", text]).at;
  check.equal("none", parseFlags(search, []).at, [], "nothing given");
  check.equal("a list", read("0.5,3"), [.5, 3], "as written");
  check.equal("a range", read("0.1:0.4:0.1"), [.1, .2, .3, .4], "decimals");
  check.equal(
    "its ends",
    [read("0.05:0.30:0.01").length, read("0:1:0.3")],
    [26, [0, .3, .6, .9]],
    "steps from the first",
  );
  for (const text of ["0.3:0.1:0.1", "0.1:0.3", "0.1:0.3:0", "0:1:2:3", "0:9:0.0001"]) {
    await check.throws(text, () => read(text), /^--at must be FROM:TO:STEP, going up|^--at must be a number/);
  }
  await check.throws("beyond", () => read("0:10:5"), /^--at must be a number from 0 to 9, got "10"$/);
  await check.throws("one of a list", () => read("1,x"), /^--at must be a number from 0 to 9, got "x"$/);
});

claim(
  "a comparison crosses every sampler with every SDE and budget, cheap ones first",
  async (check) => {
    const options: ComparisonSettings = {
      sdes: { ve: sdes.ve().config, vp: sdes.vp().config },
      samplers: scoreSamplerNames,
      nfe: [20, 2, 20],
      steps: [],
      grid: null,
      options: {},
      baseline: null,
    };
    const planSettings = (wanted: ComparisonSettings, calls = 1) =>
      planComparison(wanted, { network: "n", calls });
    const { settings, refused } = planSettings(options);
    const adaptive = ["ode-dopri5", "adaptive-sde", "dpm-solver-adaptive"];
    const pairs = settings.map(({ sde, sampler }) => `${sde} ${sampler}`);
    const fixed = pairs.filter((pair) => !adaptive.includes(pair.split(" ")[1]));
    check.equal(
      "settings and refusals",
      settings.length + refused.length,
      2 * (2 * (scoreSamplerNames.length - 3) + 3),
      "2 equations × (2 budgets × samplers of fixed steps + 3 that choose their own), no setting twice",
    );
    check.equal(
      "every pair is there",
      new Set(pairs).size,
      2 * scoreSamplerNames.length,
      "all samplers, both equations",
    );
    check.equal(
      "adaptive ones come last",
      pairs.slice(fixed.length).length,
      6,
      "nobody knows what they cost",
    );
    const few = refused.find(({ sampler, sde }) => sampler === "dpm-solver-3" && sde === "vp");
    check.equal(
      "why one is refused",
      [few?.at, few?.reason],
      [
        "2 evaluations",
        "dpm-solver-3 needs at least 4 evaluations, for one step and the last denoising, got 2",
      ],
      "three evaluations a step",
    );
    const guided = planSettings({ ...options, samplers: ["ddim"], nfe: [20] }, 2);
    check.equal("with guidance", guided.settings.map(({ steps }) => steps), [9, 9], "20 = 2 (9 + 1)");
    const given = planSettings({
      ...options,
      samplers: ["ddim", "predictor-corrector"],
      steps: [5],
      options: { snr: .2 },
    });
    check.equal(
      "options go where they are taken",
      given.settings.map(({ sampler, steps, options }) => [sampler, steps, options]).slice(0, 2),
      [["ddim", 5, {}], ["predictor-corrector", 5, { snr: .2 }]],
      "the catalogue",
    );
    await check.throws(
      "an option for none of them",
      () => planSettings({ ...options, samplers: ["ddim", "ddpm"], options: { snr: .2 } }),
      /^none of the samplers has an option snr: ddim,ddpm$/,
    );
    await check.throws(
      "a tolerance that cannot be",
      () => planSettings({ ...options, options: { rtol: 0 } }),
      /^rtol must be a positive number, got 0$/,
    );
  },
);
