/** Claims about options that are names: a misspelt one is refused, never taken for another. @module */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { maskByName, type MaskName } from "../../../src/conditioning/masks.ts";
import { posteriorScore } from "../../../src/conditioning/posterior_score.ts";
import { linearObservation } from "../../../src/conditioning/observation.ts";
import { maskOperator } from "../../../src/conditioning/operators.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { toyDistribution, type ToyName } from "../../../src/distributions/toys.ts";
import { encodeLatent } from "../../../src/likelihood/latents.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import { continuousElbo } from "../../../src/likelihood/continuous_bound.ts";
import { networkFromConfig } from "../../../src/networks/registry.ts";
import { readSafetensors, writeSafetensors } from "../../../src/networks/safetensors.ts";
import { drawNoiseLevels, type ObjectiveConfig } from "../../../src/objectives/denoising.ts";
import { sliceDirections } from "../../../src/objectives/sliced.ts";
import { loadPretrained, type PretrainedName } from "../../../src/pretrained.ts";
import { quoted, quotedShape } from "../../../src/input/quoted.ts";
import { samplerByName } from "../../../src/samplers/registry.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { langevin } from "../../../src/samplers/langevin.ts";
import type { SdeConfig } from "../../../src/diffusion/sde.ts";
import { sdeFromConfig } from "../../../src/diffusion/sde_registry.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { checkOptimizer, OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { choice, integer, list, parseFlags, toggle } from "../../../scripts/cli/flags.ts";
import { loadTrainingData } from "../../../scripts/datasets/training_data.ts";
import { claim } from "../../suite/claim.ts";
import { gentleVp, mixture } from "../../problems/short_runs.ts";

claim(
  "every option refuses an unknown name and lists the known ones",
  { engines: ["wasm"] },
  async (check) => {
    const model = scoreModel(mixture, gentleVp);
    const x = tf.zeros([2, 3]);
    const rng = createRng(1);
    const seen = await linearObservation(maskOperator([3], [1, 0, 0]), tf.tensor2d([[0.5]]), 0.1);
    const sde = { kind: "vp" } as SdeConfig;
    const objective = (config: object) => drawNoiseLevels(config as ObjectiveConfig, rng, 2);
    /** Uses an unknown name as this option. */
    const options: [option: string, ask: (name: never) => unknown][] = [
      ["a flow's method", (kind) => encodeLatent(model, x, { kind })],
      ["a likelihood's trace", (trace) => logLikelihood(model, x, { trace })],
      [
        "the distribution of probes",
        (distribution) => logLikelihood(model, x, { trace: { rng, distribution } }),
      ],
      ["the bound's times", (times) => continuousElbo(model, x, { rng, times })],
      ["an objective's kind", (kind) => objective({ kind, mean: 0, std: 1, sigmaData: 1 })],
      ["its weighting", (weighting) => objective({ kind: "sde", sde, weighting })],
      ["its times", (times) => objective({ kind: "sde", sde, weighting: "variance", times })],
      ["the distribution of slices", (distribution) => sliceDirections(rng, [2, 2], distribution)],
      ["the decay of a rate", (decay) => checkOptimizer({ ...OPTIMIZER_DEFAULTS, decay })],
      ["a posterior's method", (method) => posteriorScore(model, seen, { method })],
      ["a corrector's rule", (rule) => langevin({ rule })],
      ["a mask", (name) => maskByName(name as MaskName, [4, 4, 1])],
      ["a pretrained network", (name) => loadPretrained(name as PretrainedName)],
      ["a sampler", (name) => samplerByName(name)],
      ["a predictor", (predictor) => samplerByName("predictor-corrector", { predictor })],
      ["a grid", (kind) => timeGrid(gentleVp, { kind, steps: 4 })],
      ["an SDE", (kind) => sdeFromConfig({ kind } as unknown as SdeConfig)],
      [
        "a network",
        (kind) => networkFromConfig({ kind } as unknown as Parameters<typeof networkFromConfig>[0]),
      ],
      ["a toy", (name) => toyDistribution(name as ToyName)],
    ];
    for (const [option, ask] of options) {
      for (const name of ["radamacher", "EDM", "constructor", "toString", "__proto__", ""]) {
        let error: unknown = null;
        try {
          await ask(name as never);
        } catch (caught) {
          error = caught;
        }
        const known = (error instanceof RangeError || error instanceof TypeError) &&
          error.message.includes(name);
        const words = error instanceof Error ? `${error.name}: ${error.message}` : "no error";
        check.holds(
          `${option} "${name}": ${words.slice(0, 120)}`,
          known,
          "one sentence with the name and what is allowed",
        );
      }
    }
    x.dispose();
  },
);

claim(
  "names of properties that every object has are refused as flags, values and data sets, and allowed for tensors",
  { engines: ["wasm"] },
  async (check) => {
    const kind = choice(["vp", "ve"], { help: "what" });
    const usage = {
      name: "task",
      purpose: "Does nothing.",
      flags: {
        kind,
        kinds: list(kind, ["vp"]),
        count: integer({ help: "how many" }),
        on: toggle({ help: "?" }),
      },
    };
    for (const name of ["constructor", "toString", "hasOwnProperty", "__proto__"]) {
      for (const args of [[`--${name}`], [`--${name}=1`], [`--${name}`, "1"], [`--no-${name}`]]) {
        const refused = /^unknown flag --(no-)?\w+: the flags are --kind, --kinds, --count, --on, --help$/;
        await check.throws(args.join(" "), () => parseFlags(usage, args), refused);
      }
      const refused = new RegExp(`^--kinds? must be one of vp, ve, got "${name}"$`);
      await check.throws(`--kind ${name}`, () => parseFlags(usage, ["--kind", name]), refused);
      await check.throws(`--kinds vp,${name}`, () => parseFlags(usage, ["--kinds", `vp,${name}`]), refused);
      const known = new RegExp(`^--data must be mnist, .* a folder, or a file of .*, got "${name}"`);
      await check.throws(`--data ${name}`, () => loadTrainingData(name), known);
      const tensors = new Map([[name, { shape: [1], values: new Float32Array([7]) }]]);
      const read = readSafetensors(writeSafetensors({ tensors, metadata: {} }));
      check.equal(`a tensor named ${name}`, read.tensors.get(name)?.values[0], 7, "what was written");
    }
  },
);

claim("a refused value of any kind is quoted in a short text", { engines: ["wasm"] }, async (check) => {
  const source = "docstring of quoted: short, and it never throws";
  const detached = new Float32Array(4);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const revoked = Proxy.revocable([], {});
  revoked.revoke();
  const values: [value: unknown, text: string][] = [
    [detached, "[]"],
    [Symbol("a"), "a symbol"],
    ["a\u202eb\u{e0041}\u0085", '"a\\u202eb\\udb40\\udc41\\u0085"'],
    [[Symbol("a"), 1], "[a symbol, 1]"],
    [Object.create(null), "an object"],
    [[Object.create(null), 2n], "[…, 2]"],
    [new DataView(new ArrayBuffer(4)), "an object"],
    [revoked.proxy, "an object"],
    [[2, , 3], "[2, undefined, 3]"],
    [new Float32Array(1e6), "a list of 1000000"],
  ];
  for (const [value, text] of values) {
    const got = () => {
      try {
        return quoted(value);
      } catch (error) {
        return error;
      }
    };
    check.equal(text, String(got()), text, source);
  }
  check.equal("a long shape", quotedShape(new Array(1e6).fill(2)), "[2, 2, 2, 2, 2, 2, 2, 2, …]", source);
  check.equal("a large whole number", quoted(10n ** 1000n).length, 80, source);
  const long = new Array(1e6).fill(0.5) as number[];
  const model = scoreModel(mixture, gentleVp);
  const run = { grid: { kind: "uniform", steps: 2 }, rng: createRng(1) } as const;
  const draw = (shape: number[]) => drawSamples(model, samplerByName("dpm++2m"), { ...run, shape });
  const uses: [name: string, use: (shape: number[]) => unknown][] = [
    ["a draw", (shape) => createRng(1).normal(shape)],
    ["samples", draw],
    ["a mask", (shape) => maskByName("centre", shape as never)],
  ];
  for (const [name, use] of uses) {
    await check.throws(`${name} of a long shape`, () => use(long), /^.{8,100} got a list of 1000000$/);
    const odd = [Symbol("a"), Object.create(null)] as never;
    await check.throws(`${name} of no numbers`, () => use(odd), /^.{8,100} got \[a symbol, …\]$/);
  }
});
