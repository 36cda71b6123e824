/**
 * Claims about all combinations: every sampler of the catalogue under every equation on every grid, every one-step sampler as
 * predictor, every budget.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { stepsForNfe } from "../../../src/samplers/nfe_budget.ts";
import {
  nfeOfSteps,
  nfePerStep,
  predictorNames,
  samplerByName,
  samplerInfo,
  samplerNames,
  scoreSamplerNames,
} from "../../../src/samplers/registry.ts";
import type { SamplerOptions } from "../../../src/samplers/sampler_info.ts";
import { sample } from "../../../src/samplers/sample.ts";
import type { Sde } from "../../../src/diffusion/sde.ts";
import type { GridConfig } from "../../../src/diffusion/time_grid.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { narrowSdes } from "../../problems/sdes.ts";
import { samplerFacts } from "../../problems/sampler_facts.ts";
import { mixture } from "../../problems/short_runs.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const grids = ["uniform", "quadratic", "log-snr", "karras"] as const;

/** What a run came to: its evaluations where all values are finite, else what was said. */
async function outcome(
  sde: Sde,
  name: string,
  options: SamplerOptions,
  grid: GridConfig,
): Promise<number | string> {
  try {
    const settings = { shape: [2, 3], grid, rng: createRng(3) };
    for await (
      const { done, x, evaluations } of sample(
        scoreModel(mixture, sde),
        samplerByName(name, options),
        settings,
      )
    ) {
      if (!done) continue;
      x.dispose();
      return evaluations;
    }
    return "no last state";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

claim(
  "every sampler runs under every SDE on every grid, or names the rule that is not defined there",
  async (check) => {
    const steps = 5;
    const missing: string[] = [];
    for (const name of scoreSamplerNames) {
      const { options: accepted } = samplerInfo(name);
      const options = {
        ...(accepted.correctorSteps ? { correctorSteps: 2 } : {}),
        ...(accepted.rtol ? { rtol: .3, atol: .3 } : {}),
      };
      const perStep = nfePerStep(name, options);
      const wrong: string[] = [];
      for (const [equation, sde] of Object.entries(narrowSdes)) {
        for (const kind of grids) {
          const found = await outcome(sde, name, options, { kind, steps: perStep === null ? 1 : steps });
          if (
            typeof found === "number" && (perStep === null || found === nfeOfSteps(name, steps, options)! + 1)
          ) continue;
          const where = `${name}, ${equation}, ${kind}`;
          if (
            /: DDPM's rule needs .*: use more steps$/.test(String(found))
          ) {
            missing.push(where);
          } else wrong.push(`${where}: ${found}`);
        }
      }
      check.equal(`${name}: 4 equations, 4 grids`, wrong, [], "finite, with the evaluations of its row");
    }
    // √(1 − β(t) h) needs β(t) h < 1; five steps of a schedule that ends at β = 20 are too few.
    const rules = samplerFacts.filter(({ shortSteps }) => shortSteps).map(({ name }) => name);
    check.equal(
      "rules that say that they need more steps",
      [...new Set(missing.map((where) => where.split(",")[0]))].sort(),
      rules.toSorted(),
      "Ho et al. 2020, eq. 4",
    );
    check.holds(
      `where: ${missing.join("; ")}`,
      missing.every((where) => / (VP|sub-VP), /.test(where)),
      "only where the drift contracts",
    );
    for (const name of rules) {
      const found: (number | string)[] = [];
      for (const sde of Object.values(narrowSdes)) {
        found.push(await outcome(sde, name, {}, { kind: "uniform", steps: 24 }));
      }
      const expected = found.map(() => 24 * nfePerStep(name)! + 1);
      check.equal(`${name}: evaluations of 24 steps, uniform in time`, found, expected, "β(t) h ≤ 20/24");
    }
  },
);

claim(
  "predictor-corrector takes every one-step sampler as predictor, and says why it does not take the others",
  async (check) => {
    for (const predictor of samplerNames) {
      const options = { predictor };
      if (!predictorNames.includes(predictor)) {
        const reason = {
          multistep: "goes by its earlier states",
          adaptive: "chooses its own steps",
          scheduled: "takes its last steps by lower orders",
          corrector: "corrects already",
          consistency: "needs a consistency function",
          "one-step": "",
        }[samplerInfo(predictor).kind];
        await check.throws(
          predictor,
          () => samplerByName("predictor-corrector", options),
          new RegExp(
            `^${
              predictor.replaceAll("+", "\\+")
            } cannot be a predictor: it ${reason}.*; use one of euler-maruyama, `,
          ),
        );
        continue;
      }
      const perStep = nfePerStep(predictor)! + 1;
      const found: (number | string)[] = [];
      for (const sde of Object.values(narrowSdes)) {
        found.push(await outcome(sde, "predictor-corrector", options, { kind: "uniform", steps: 24 }));
      }
      check.equal(
        `${predictor}: evaluations under every equation`,
        found,
        found.map(() => 24 * perStep + 1),
        "its own and a correction a step, and the last denoising",
      );
    }
    const named = scoreSamplerNames.filter((name) => samplerInfo(name).kind === "one-step");
    check.equal("the names of predictors", predictorNames, named, "the catalogue");
  },
);

claim(
  "with every sampler, an NFE budget is spent as far as whole steps allow, and never exceeded",
  async (check) => {
    for (const name of scoreSamplerNames) {
      if (nfePerStep(name) === null) {
        await check.throws(name, () => stepsForNfe(name, 100), /chooses its own steps, whatever the budget$/);
        continue;
      }
      const wrong: string[] = [];
      for (const budget of [2, 3, 4, 5, 7, 10, 11, 20, 50, 101, 1000]) {
        try {
          const { steps, options } = stepsForNfe(name, budget);
          const spent = nfeOfSteps(name, steps, options)! + 1;
          const more = name === "annealed-langevin"
            ? steps
            : nfeOfSteps(name, steps + 1, options)! + 1 - spent;
          if (!(spent <= budget && spent + more > budget)) wrong.push(`${budget}: ${spent}`);
        } catch (error) {
          const said = error instanceof Error ? error.message : "";
          const least = nfeOfSteps(name, 1)! + 1;
          if (budget >= least || !said.includes(`needs at least ${least} evaluations`)) {
            wrong.push(`${budget}: ${said}`);
          }
        }
      }
      check.equal(
        `${name}: budgets missed`,
        wrong,
        [],
        "steps × evaluations a step + 1 for the last denoising",
      );
    }
    check.equal(
      "given steps are kept",
      stepsForNfe("annealed-langevin", 101, { correctorSteps: 20 }).steps,
      5,
      "5 · 20 + 1",
    );
    check.equal(
      "a predictor's cost counts",
      stepsForNfe("predictor-corrector", 41, { predictor: "dpm-solver-3" }).steps,
      10,
      "10 · (3 + 1) + 1",
    );
  },
);
