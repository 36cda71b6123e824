/** What the registry of samplers says of them, beside what is measured: options' ranges, names, costs, refusals. @module */
import { ddim } from "../../../src/samplers/ddim.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { stepsForNfe } from "../../../src/samplers/nfe_budget.ts";
import { odeEuler } from "../../../src/samplers/ode_euler.ts";
import { predictorCorrector } from "../../../src/samplers/predictor_corrector.ts";
import {
  nfeOfSteps,
  nfePerStep,
  samplerByName,
  samplerInfo,
  samplerNames,
} from "../../../src/samplers/registry.ts";
import { samplerOptionInfos } from "../../../src/samplers/sampler_info.ts";
import { claim } from "../../suite/claim.ts";

claim("the options of samplers have the values and ranges of their definitions", (check) => {
  const from0 = { values: "number", min: 0 };
  const expected = {
    snr: from0,
    correctorSteps: { values: "integer", min: 1 },
    langevinStep: from0,
    correctorRule: { values: ["langevin", "ald"] },
    predictor: { values: "sampler" },
    gamma: { ...from0, max: 0.4142 },
    sChurn: { ...from0, insteadOf: "gamma" },
    sTmin: from0,
    sTmax: from0,
    sNoise: from0,
    eta: { ...from0, max: 1 },
    predictorOrder: { values: "integer", min: 1, max: 4 },
    correctorOrder: { values: "integer", min: 0, max: 4 },
    tau: from0,
    solverType: { values: ["midpoint", "heun"] },
    lastStep: { values: ["own", "ddim"] },
    lastOrders: { values: ["2", "1", "2+1"] },
    solverOrder: { values: "integer", min: 1, max: 4 },
    bFunction: { values: ["varying", "bh1", "bh2"] },
    solverPrediction: { values: ["noise", "data"] },
    rtol: from0,
    atol: from0,
  };
  const found = Object.fromEntries(
    Object.entries(samplerOptionInfos).map(([name, { help: _, ...range }]) => [name, range]),
  );
  check.equal("options", found, expected, "their papers: γ ≤ √2 − 1, η ≤ 1, all others positive or from 0");
});

claim("every row of the registry of samplers is whole", (check) => {
  const kinds: Record<string, string[]> = {};
  for (const name of samplerNames) {
    const info = samplerInfo(name);
    (kinds[info.kind] ??= []).push(name);
    const types = [info.stochastic, info.needsScoreAtEnd, info.options].map((value) => typeof value);
    check.equal(`${name}: types`, types, ["boolean", "boolean", "object"], "SamplerInfo");
  }
  check.equal("kinds with fewer than all samplers", { ...kinds, "one-step": undefined }, {
    "one-step": undefined,
    corrector: ["predictor-corrector", "annealed-langevin"],
    adaptive: ["ode-dopri5", "adaptive-sde", "dpm-solver-adaptive"],
    multistep: [
      "sde-dpm++2m",
      "sde-dpm++3m",
      "sa-solver",
      "unipc",
      "lms",
      "deis",
      "ipndm",
      "pndm",
      "plms",
      "dpm++2m",
    ],
    scheduled: ["dpm-solver-fast"],
    consistency: ["consistency"],
  }, "what their papers' steps depend on");
});

claim("a sampler is named by its options, and refuses what it has not by what it has", async (check) => {
  const corrected = predictorCorrector({ predictor: odeEuler(), corrector: langevin() });
  check.equal(
    "names",
    [ddim(), ddim({ eta: 1 }), ddim({ eta: 0.25 }), corrected].map(({ name }) => name),
    ["ddim", "ancestral", "ddim with eta 0.25", "ode-euler with langevin"],
    "by hand",
  );
  for (const name of samplerNames) {
    const expected = name === "predictor-corrector" ? "reverse-diffusion with langevin" : name;
    check.equal(name, samplerByName(name).name, expected, "as the registry has it, in errors and reports");
  }
  for (
    const [name, has] of [
      ["ddpm", "none"],
      ["ddim", "eta"],
      ["ode-dopri5", "rtol, atol"],
      ["edm-stochastic", "gamma, sChurn, sTmin, sTmax, sNoise"],
      ["predictor-corrector", "correctorSteps, correctorRule, predictor"],
    ]
  ) {
    const option = name === "predictor-corrector" ? "eta" : "snr";
    const message = new RegExp(
      `^${name} has no option ${option}; it has ${name === "predictor-corrector" ? "snr, " : ""}${has}$`,
    );
    await check.throws(name, () => samplerByName(name, { [option]: 0.5 }), message);
    const nothing = () => samplerByName(name, { [option]: undefined });
    await check.throws(`${name}, left out`, nothing, /^no error$/);
  }
  for (
    const [name, why] of [
      ["dpm\\+\\+2m", "goes by its earlier states"],
      ["ode-dopri5", "chooses its own steps"],
      ["dpm-solver-fast", "takes its last steps by lower orders"],
      ["annealed-langevin", "corrects already"],
      ["consistency", "needs a consistency function"],
    ]
  ) {
    await check.throws(
      `${name} as a predictor`,
      () => samplerByName("predictor-corrector", { predictor: name.replaceAll("\\", "") }),
      new RegExp(`^${name} cannot be a predictor: it ${why}.*; use one of euler-maruyama, `),
    );
  }
});

claim("network evaluations of a step and steps of a budget are those of the algorithm", async (check) => {
  const steps = { correctorSteps: 3 };
  const costs: [string, Parameters<typeof nfePerStep>[1], number | null][] = [
    ["predictor-corrector", {}, 2],
    ["predictor-corrector", steps, 4],
    ["predictor-corrector", { ...steps, predictor: "ode-rk4" }, 7],
    ["annealed-langevin", {}, 100],
    ["annealed-langevin", steps, 3],
    ["adaptive-sde", {}, null],
    ["dpm-solver-3", {}, 3],
  ];
  for (const [name, options, cost] of costs) {
    check.equal(
      `${name} ${JSON.stringify(options)}`,
      nfePerStep(name, options),
      cost,
      "its paper's algorithm",
    );
  }
  const runs: [string, number, number | null][] = [
    ["ode-heun", 3, 6],
    ["pndm", 1, 4],
    ["pndm", 2, 8],
    ["pndm", 5, 14],
    ["plms", 1, 2],
    ["plms", 5, 6],
    ["adaptive-sde", 5, null],
    ["dpm-solver-fast", 1, 2],
    ["dpm-solver-fast", 7, 20],
  ];
  for (const [name, steps, cost] of runs) {
    check.equal(`${name}, ${steps} steps`, nfeOfSteps(name, steps), cost, "its paper's algorithm");
  }
  const budgets: [string, number, Parameters<typeof stepsForNfe>[2], unknown][] = [
    ["ode-heun", 21, {}, { steps: 10, options: {} }],
    ["ode-heun", 22, {}, { steps: 10, options: {} }],
    ["predictor-corrector", 21, steps, { steps: 5, options: steps }],
    ["pndm", 5, {}, { steps: 1, options: {} }],
    ["pndm", 12, {}, { steps: 2, options: {} }],
    ["pndm", 20, {}, { steps: 10, options: {} }],
    ["plms", 10, {}, { steps: 8, options: {} }],
    ["dpm-solver-fast", 2, {}, { steps: 1, options: { lastOrders: "1" } }],
    ["dpm-solver-fast", 19, { eta: 1 }, { steps: 7, options: { eta: 1, lastOrders: "2+1" } }],
    ["dpm-solver-fast", 20, {}, { steps: 7, options: { lastOrders: "1" } }],
    ["dpm-solver-fast", 21, {}, { steps: 7, options: { lastOrders: "2" } }],
    ["dpm-solver-fast", 22, { lastOrders: "2" }, { steps: 7, options: { lastOrders: "2" } }],
    ["annealed-langevin", 26, {}, { steps: 10, options: { correctorSteps: 2 } }],
    ["annealed-langevin", 5, { langevinStep: 1e-5 }, {
      steps: 4,
      options: { langevinStep: 1e-5, correctorSteps: 1 },
    }],
    ["annealed-langevin", 26, steps, { steps: 8, options: steps }],
    ["annealed-langevin", 2, {}, { steps: 1, options: { correctorSteps: 1 } }],
    ["consistency", 3, {}, { steps: 3, options: {} }],
  ];
  for (const [name, budget, options, expected] of budgets) {
    const found = stepsForNfe(name, budget, options);
    check.equal(`${name} within ${budget}`, found, expected, "the last denoising takes one");
  }
  for (
    const [name, budget, least] of [["ode-heun", 2, 3], ["pndm", 4, 5], ["annealed-langevin", 1, 2], [
      "consistency",
      0,
      1,
    ]] as const
  ) {
    const message = new RegExp(
      `^${name} needs at least ${least} evaluations, for one step${
        name === "consistency" ? "" : " and the last denoising"
      }, got ${budget}$`,
    );
    await check.throws(`${name} within ${budget}`, () => stepsForNfe(name, budget), message);
  }
});
