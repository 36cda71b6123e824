/**
 * Options left out mean what the documentation says: the numbers in the docstrings are read and tried, and another value must
 * make another result, so that no option goes unheeded. Recipes are those of the files that they made.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type ScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { Banana } from "../../../src/distributions/banana.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { bitsPerDimension } from "../../../src/likelihood/dequantization.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { decodeLatent, encodeLatent } from "../../../src/likelihood/latents.ts";
import { CLASSIFIER_TRAINING } from "../../../src/classifiers/training.ts";
import { DIGITS } from "../../../src/networks/registry.ts";
import { checkedGuidance, guidanceWeight } from "../../../src/networks/guidance_interval.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { readSafetensors } from "../../../src/networks/safetensors.ts";
import { encodeGif } from "../../../src/images/gif.ts";
import { imageGrid } from "../../../src/images/grid.ts";
import { plot } from "../../../src/plots/plot.ts";
import { adaptiveSde } from "../../../src/samplers/adaptive_sde.ts";
import { annealedLangevin } from "../../../src/samplers/annealed_langevin.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { odeDormandPrince } from "../../../src/samplers/ode_dopri5.ts";
import { edmStochastic } from "../../../src/samplers/edm_stochastic.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import { samplerByName, samplerInfo } from "../../../src/samplers/registry.ts";
import { samplerOptionInfos, samplerOptionNames } from "../../../src/samplers/sampler_info.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import {
  edmSde,
  noiseRatio,
  type Sde,
  sigmaPowerSde,
  subVpSde,
  veSde,
  vpSde,
} from "../../../src/diffusion/sde.ts";
import { flowSde } from "../../../src/diffusion/flow_sde.ts";
import { clippedModel } from "../../../src/conditioning/clipped.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { train, type TrainingConfig } from "../../../src/training/train.ts";
import { claim } from "../../suite/claim.ts";
import { otherValues, samplerFacts } from "../../problems/sampler_facts.ts";
import { gentleVp, mixture } from "../../problems/short_runs.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";

type Value = number | boolean | string;

/** Options whose defaults are documented, and what they do. */
interface Documented {
  /** Where the interface is, below src/. */
  readonly file: string;
  readonly name: string;
  /** Options of `others` whose default is stated in words, which nothing here reads. */
  readonly inWords?: readonly string[];
  /** For each option another value, which must make a difference. */
  readonly others: Readonly<Record<string, Value>>;
  /** What comes of options: anything that can be compared. */
  readonly effect: (options: Readonly<Record<string, Value>>) => unknown;
}

/**
 * The documented default of each option of an interface: the number, word or truth value after "default".
 * @throws {Error} When the file has no interface of that name.
 */
async function documentedDefaults(file: string, name: string): Promise<Map<string, Value>> {
  const text = await Deno.readTextFile(new URL(`../../../src/${file}`, import.meta.url));
  const body = new RegExp(`interface ${name} \\{([^]*?)\\n\\}`).exec(text)?.[1] ??
    new RegExp(`type ${name} = \\{([^]*?)\\n\\}`).exec(text)?.[1];
  if (body === undefined) throw new Error(`src/${file} has no interface ${name}`);
  const found = new Map<string, Value>();
  const option = /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*readonly (\w+)\?:/g;
  for (const [, words, key] of body.matchAll(option)) {
    const value =
      /\bdefault (true|false|Infinity|\d+(?: \d{3})+|-?\d*\.?\d+(?:e-?\d+)?(?:\/\d+)?)(?!\.?\d| σ)/i.exec(
        words,
      )
        ?.[1];
    if (value === undefined) continue;
    const [whole, part = "1"] = value.replaceAll(" ", "").split("/");
    found.set(key, value === "true" ? true : value === "false" ? false : Number(whole) / Number(part));
  }
  return found;
}

/** An SDE in numbers. */
function numbers(
  { config, tMin, tMax, priorStd, alpha, sigma, diffusionCoefficient: diffusion }: Sde,
): unknown {
  return [config, tMin, tMax, priorStd, alpha(0.3), sigma(0.3), diffusion(0.3)];
}

const model: ScoreModel = scoreModel(mixture, gentleVp);

/** What a sampler draws over a few times. */
async function drawn(
  sampler: Sampler,
  { times = [1, 0.3, 0.1], ...options }: { times?: number[]; denoise?: boolean } = {},
): Promise<number[]> {
  const grid = Float64Array.from(times);
  const x = await drawSamples(model, sampler, { shape: [2, 3], grid, rng: createRng(1), ...options });
  const values = Array.from(await x.data());
  x.dispose();
  return values;
}

async function likelihood(trace: Readonly<Record<string, Value>>): Promise<number[]> {
  const problem = new Gaussian({ mean: [0, 1], covariance: [[1, 0.5], [0.5, 2]] });
  const x = tf.tensor2d([[0.3, -0.2]]);
  const method = { kind: "rk4", grid: { kind: "log-snr", steps: 3 } } as const;
  const options = { trace: { rng: createRng(2), ...trace }, method };
  const { logDensity } = await logLikelihood(scoreModel(problem, vpSde()), x, options);
  x.dispose();
  return Array.from(logDensity);
}

/** The steps of a short training at which losses are reported. */
async function reports(options: Readonly<Record<string, Value>>): Promise<number[]> {
  const network = { kind: "mlp", dimensions: 1, hidden: 2, layers: 1, noiseFeatures: 4, classes: 0 } as const;
  const config: TrainingConfig = {
    model: { network, preconditioning: null },
    objective: { kind: "edm", mean: 0, std: 1, sigmaData: 1 },
    optimizer: OPTIMIZER_DEFAULTS,
    steps: 25,
    batch: 1,
    labelDropout: 0,
    seed: 1,
  };
  const steps: number[] = [];
  for await (const { step, loss } of train(config, () => ({ images: Float32Array.of(1) }), options)) {
    if (loss !== null) steps.push(step);
  }
  return steps;
}

const picture = (level: number) => ({ width: 2, height: 1, data: new Uint8Array(8).fill(level) });
const betas = { betaMin: 0.2, betaMax: 10, tMin: 0.01, tMax: 0.9 };

const documented: readonly Documented[] = [
  {
    file: "diffusion/sde.ts",
    name: "VeOptions",
    others: { sigmaMin: 0.02, sigmaMax: 40, tMin: 0.01, tMax: 0.9 },
    effect: (options) => numbers(veSde(options)),
  },
  {
    file: "diffusion/sde.ts",
    name: "BetaOptions",
    others: betas,
    effect: (options) => [numbers(vpSde(options)), numbers(subVpSde(options))],
  },
  {
    file: "diffusion/sde.ts",
    name: "EdmOptions",
    others: { tMin: 0.01, tMax: 70 },
    effect: (options) => numbers(edmSde(options)),
  },
  {
    file: "diffusion/sde.ts",
    name: "SigmaPowerOptions",
    others: { sigma: 20, tMin: 0.01, tMax: 0.9 },
    effect: (options) => numbers(sigmaPowerSde(options)),
  },
  {
    file: "diffusion/flow_sde.ts",
    name: "FlowOptions",
    others: { tMin: 0.01, tMax: 0.9 },
    effect: (options) => numbers(flowSde(options)),
  },
  {
    file: "conditioning/clipped.ts",
    name: "ClipOptions",
    others: { low: -0.4, high: 0.3 },
    effect: (options) => {
      const wide = scoreModel(new Gaussian({ mean: [0], variances: [9] }), vpSde());
      return tf.tidy(
        () => [...clippedModel(wide, options).denoised(tf.tensor2d([[-2], [2]]), 0.1).dataSync()],
      );
    },
  },
  {
    file: "diffusion/time_grid.ts",
    name: "GridConfig",
    inWords: ["model"],
    others: { rho: 3, shift: 2, shape: 2, model: "stable-diffusion-xl" },
    effect: (options) =>
      (["karras", "shifted", "beta", "align-your-steps"] as const).map((kind) => [
        ...timeGrid(vpSde(), { kind, steps: 5, ...options }),
      ]),
  },
  {
    file: "networks/guidance_interval.ts",
    name: "Guidance",
    others: { from: 0.1, to: 10 },
    effect: (options) => {
      const guidance = checkedGuidance({ scale: 2, ...options });
      return [1e-9, 1, 1e9].map((ratio) => guidanceWeight(guidance, ratio));
    },
  },
  {
    file: "samplers/langevin.ts",
    name: "LangevinOptions",
    others: { snr: 0.2, steps: 2, rule: "langevin" },
    inWords: ["rule"],
    effect: (options) => drawn(langevin(options)),
  },
  {
    file: "samplers/annealed_langevin.ts",
    name: "AnnealedLangevinOptions",
    others: { steps: 99, langevinStep: 1e-5 },
    inWords: ["langevinStep"],
    effect: (options) => drawn(annealedLangevin(options), { times: [0.2, 0.1] }),
  },
  {
    file: "samplers/ddim.ts",
    name: "DdimOptions",
    others: { eta: 0.5 },
    effect: (options) => drawn(ddim(options)),
  },
  {
    file: "samplers/edm_stochastic.ts",
    name: "EdmStochasticOptions",
    others: { gamma: 0.2, sChurn: 1, sTmin: 1, sTmax: 0.3, sNoise: 1.01 },
    inWords: ["sChurn"],
    effect: (options) => drawn(edmStochastic(options)),
  },
  {
    file: "samplers/adaptive_sde.ts",
    name: "AdaptiveSdeOptions",
    others: { rtol: 0.1, atol: 0.1, firstStep: 0.02, maxAttempts: 2 },
    effect: (options) => drawn(adaptiveSde(options), { times: [0.2, 0.1] }).catch(String),
  },
  {
    file: "samplers/ode_dopri5.ts",
    name: "ToleranceOptions",
    others: { rtol: 1e-2, atol: 1e-2, maxAttempts: 2 },
    effect: (options) => drawn(odeDormandPrince(options), { times: [0.5, 0.1] }).catch(String),
  },
  {
    file: "samplers/sample.ts",
    name: "SampleOptions",
    others: { denoise: false },
    effect: (options) => drawn(ddim(), options),
  },
  {
    file: "likelihood/log_likelihood.ts",
    name: "Hutchinson",
    others: { probes: 2, distribution: "gaussian" },
    inWords: ["distribution"],
    effect: likelihood,
  },
  {
    file: "likelihood/dequantization.ts",
    name: "ValueRange",
    others: { levels: 128 },
    effect: (options) => bitsPerDimension(-1, 2, { low: 0, high: 1, ...options }),
  },
  {
    file: "distributions/banana.ts",
    name: "BananaOptions",
    others: { width: 2, thickness: 0.2, bend: 0.6 },
    effect: (options) => Array.from(tf.tidy(() => new Banana(options).sample(createRng(1), 3).dataSync())),
  },
  { file: "training/train.ts", name: "TrainOptions", others: { reportEvery: 9 }, effect: reports },
  {
    file: "images/grid.ts",
    name: "GridLayout",
    others: { scale: 5, gap: 3, columns: 1, title: "t" },
    inWords: ["columns", "scale", "title"],
    effect: (options) => imageGrid(new Float32Array(2), [2, 1, 1, 1], options),
  },
  {
    file: "images/gif.ts",
    name: "GifOptions",
    others: { delay: 90, lastDelay: 900, colours: 16 },
    effect: (options) => encodeGif([picture(0), picture(255)], options),
  },
  {
    file: "plots/plot.ts",
    name: "PlotOptions",
    others: { width: 500, height: 300 },
    effect: (options) => plot([{ kind: "line", x: [0, 1], y: [0, 1] }], options),
  },
];

for (const { file, name, others, inWords = [], effect } of documented) {
  claim(
    `${name} of ${file}: omitted options take their documented defaults, and given ones have an effect`,
    async (check) => {
      const usual = await effect({});
      const defaults = await documentedDefaults(file, name);
      check.equal(
        "options whose documented default was found",
        [...defaults.keys()].sort(),
        Object.keys(others).filter((option) => !inWords.includes(option)).sort(),
        "the options in the claim; another file, name or wording must not leave one out",
      );
      for (const [option, value] of defaults) {
        check.equal(
          `${option} = ${value}, as documented`,
          await effect({ [option]: value }),
          usual,
          `src/${file}`,
        );
      }
      for (const [option, value] of Object.entries(others)) {
        const other = JSON.stringify(await effect({ [option]: value }));
        check.holds(
          `${option} = ${value} makes a difference`,
          other !== JSON.stringify(usual),
          "else it is unheeded",
        );
      }
    },
  );
}

claim(
  "every option that a registered sampler accepts reaches it unchanged, and every other is refused",
  async (check) => {
    // Noise ratios .84, .65 and .32 at the steps' beginnings: below, within and above the window of S_tmin and S_tmax. The end is
    // the SDE's tMin, where a multistep solver's last step is.
    const times = { times: [0.5, 0.4, 0.2, 1e-3] };
    for (const { name, direct } of samplerFacts) {
      const { options } = samplerInfo(name);
      const accepted = samplerOptionNames.filter((key) => options[key] !== undefined);
      const usual = accepted.length === 0 ? [] : await drawn(samplerByName(name), times);
      for (const key of samplerOptionNames) {
        const given = { [key]: otherValues[key] };
        if (!accepted.includes(key)) {
          await check.throws(
            `${name}: ${key}`,
            () => samplerByName(name, given),
            new RegExp(`has no option ${key}`),
          );
          continue;
        }
        // Of a sampler that adds no noise by default, its factor is to be seen where it adds some.
        const noisy = key === "sNoise" && accepted.includes("eta") ? { eta: 1 } : {};
        const before = key === "sNoise" ? await drawn(samplerByName(name, noisy), times) : usual;
        const other =
          String(await drawn(samplerByName(name, { ...noisy, ...given }), times)) !== String(before);
        check.holds(`${name}: ${key} = ${otherValues[key]} makes a difference`, other, "else it is unheeded");
      }
      check.equal(
        `${name}: options, and a row that gives them`,
        direct !== undefined,
        accepted.length > 0,
        "facts",
      );
      if (direct === undefined) continue;
      const together = accepted.filter((key) => samplerOptionInfos[key].insteadOf === undefined);
      const all = Object.fromEntries(together.map((key) => [key, otherValues[key]]));
      const source = "the sampler's own function with these options, bit for bit";
      check.equal(
        `${name}: all options`,
        await drawn(samplerByName(name, all), times),
        await drawn(direct(), times),
        source,
      );
    }
  },
);

claim("an option that a sampler is not given is the default in its row of the registry", async (check) => {
  const times = { times: [0.5, 0.2] };
  for (const { name } of samplerFacts) {
    const usual = await drawn(samplerByName(name), times);
    for (const [key, row] of Object.entries(samplerInfo(name).options)) {
      // The rule goes by the dimension, which is three, Langevin's step by the lowest noise ratio, S_churn by two levels.
      const byRun: Record<string, string | number> = {
        correctorRule: "ald",
        sChurn: 2 * 0.15,
        langevinStep: 0.1 * noiseRatio(gentleVp, gentleVp.tMin) ** 2,
      };
      const value = byRun[key] ?? row.default;
      const given = await drawn(samplerByName(name, { [key]: value }), times);
      check.equal(`${name}: ${key} = ${value}`, given, usual, "bit for bit, whether it is given or left out");
      check.holds(`${name}: ${key} has a source`, row.source.length > 0, "the row");
    }
  }
});

claim("defaults that the documentation states in prose are in force", async (check) => {
  const lowest = noiseRatio(gentleVp, gentleVp.tMin);
  const epsilon = 0.1 * lowest ** 2;
  const few = { steps: 3 };
  check.equal(
    "annealed Langevin's ε",
    await drawn(annealedLangevin({ ...few, langevinStep: epsilon })),
    await drawn(annealedLangevin(few)),
    "0.1 σ_L²",
  );
  check.equal(
    "Hutchinson's distribution",
    await likelihood({ distribution: "rademacher" }),
    await likelihood({}),
    "signs",
  );
  const codes = tf.tensor2d([[0.3, -0.2, 0.1]]);
  for (const solve of [encodeLatent, decodeLatent]) {
    const [usual, named] = [await solve(model, codes), await solve(model, codes, { kind: "dopri5" })];
    check.equal(
      `${solve.name}'s solver`,
      await usual.data(),
      await named.data(),
      "Dormand–Prince, default tolerances",
    );
    tf.dispose([usual, named]);
  }
  codes.dispose();
  const noisePredictor = networkPredictor(smallModel().config, smallModel().weights);
  const y = createRng(1).normal([1, 28, 28, 1]);
  const [plain, unguided] = [
    noisePredictor.withLabels(3).predictNoise(y, 0.5),
    noisePredictor.withLabels(3, 1).predictNoise(y, 0.5),
  ];
  check.equal("guidance", await plain.data(), await unguided.data(), "none: a scale of 1");
  tf.dispose([y, plain, unguided]);
  noisePredictor.dispose();
  const columns = imageGrid(new Float32Array(5), [5, 1, 1, 1], { gap: 0, scale: 1 });
  check.equal(
    "a grid of five",
    [columns.width, columns.height],
    [3, 2],
    "the smallest square that holds all",
  );
});

claim("the recipes in the code are those that made the shipped files", async (check) => {
  const read = (name: string) =>
    Deno.readFile(new URL(`../../../fixtures/models/${name}.safetensors`, import.meta.url));
  const { config, metadata } = readModel(await read("mnist"));
  const source = "the header of fixtures/models/mnist.safetensors";
  check.equal("optimizer", JSON.parse(metadata.recipe).optimizer, OPTIMIZER_DEFAULTS, source);
  check.equal("network", config.network, DIGITS, source);
  const classifier = readSafetensors(await read("classifier")).metadata.training;
  check.equal(
    "classifier",
    JSON.parse(classifier),
    CLASSIFIER_TRAINING,
    "the header of fixtures/models/classifier.safetensors",
  );
});
