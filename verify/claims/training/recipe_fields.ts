/** Every field of a recipe: left out, of another type, or unknown, it is refused by name. @module */
import { checkRecipe } from "../../../src/training/config_check.ts";
import { readModel } from "../../../src/networks/model_file.ts";
import { NETWORK_PRESETS, type NetworkConfig } from "../../../src/networks/registry.ts";
import { writeSafetensors } from "../../../src/networks/safetensors.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { perceptron, small } from "../../problems/small_networks.ts";
import { changed, errorOf, type Json, pathsOf, valueAt } from "../../instruments/json_fields.ts";

const optimizer = {
  rate: 1e-3,
  warmup: 0,
  decay: "constant",
  betas: [0.9, 0.99],
  epsilon: 1e-8,
  clip: 1,
  ema: 0.99,
};
const recipe = (objective: Json): Json => ({
  objective,
  optimizer,
  steps: 9,
  batch: 2,
  labelDropout: 0.1,
  seed: 3,
});
const sde = (sde: Json): Json => recipe({ kind: "sde", sde, weighting: "variance" });
const consistency: Json = {
  kind: "consistency",
  ...{ mean: -0.6, std: 1.6, range: [0.005, 40], highShare: 0.1, highFrom: 4, huber: 0.03 },
  gap: { first: 1.2, last: 0.12, settled: 0.75 },
};

/** Recipes that are taken, and those of their fields that may be left out. */
const recipes: [what: string, recipe: Json, optional: string[]][] = [
  ["EDM's", recipe({ kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 }), []],
  ["levels", recipe({ kind: "levels", ratios: [0.1, 1] }), []],
  ["VP", { ...sde({ kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 1e-3, tMax: 1 }), flip: true }, [
    "flip",
    "tMin",
    "tMax",
  ]],
  ["sub-VP", sde({ kind: "subvp", betaMin: 0.1, betaMax: 20 }), []],
  [
    "VE by importance",
    recipe({
      kind: "sde",
      sde: { kind: "ve", sigmaMin: 0.01, sigmaMax: 50 },
      weighting: "likelihood",
      times: "importance",
    }),
    ["times"],
  ],
  [
    "flow matching",
    recipe({
      kind: "sde",
      sde: { kind: "flow", tMin: 1e-3, tMax: 0.99 },
      weighting: "velocity",
      times: "logit-normal",
      logit: { mean: 0.5, std: 2 },
    }),
    ["times", "logit", "tMin", "tMax"],
  ],
  ["σ to a power", sde({ kind: "sigma-power", sigma: 25 }), []],
  ["consistency without a teacher", recipe({ ...consistency, teacher: null }), []],
  ["distillation", recipe({ ...consistency, teacher: { scale: 1.5, from: 0.1, to: 5 } }), ["from", "to"]],
];

/** Leaves out, mistypes and adds each field of a config in turn. */
function checkFieldsOf(
  check: Check,
  what: string,
  config: Json,
  optional: readonly string[],
  read: (config: Json) => unknown,
) {
  check.equal(what, errorOf(() => read(config)), "no error", "as documented");
  for (const path of pathsOf(config)) {
    const name = path.at(-1)!;
    const field = `${what}: ${path.join(".")}`;
    const left = errorOf(() => read(changed(config, path, undefined)));
    const expected = optional.includes(name) ? /^no error$/ : new RegExp(`\\bno ${name}$`);
    check.holds(`${field} left out: ${left}`, expected.test(left), "a field that must be there");
    for (const other of [{}, true, "1e-3", ["a"]]) {
      if (name === "flip" && other === true) continue;
      const error = errorOf(() => read(changed(config, path, other)));
      const named = error !== "no error" &&
        (error.includes(name) || error.includes(path.at(-2) ?? name) || /\bhas no\b/.test(error));
      check.holds(`${field} is ${JSON.stringify(other)}: ${error}`, named, "of another type");
    }
    const value = valueAt(config, path);
    if (typeof value === "number") {
      const error = errorOf(() => read(changed(config, path, null)));
      check.holds(
        `${field} is null: ${error}`,
        error.includes(name) && error.endsWith("got null"),
        "JSON's NaN",
      );
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const error = errorOf(() => read(changed(config, [...path, "colour"], 1)));
      check.holds(
        `${field} with a colour: ${error}`,
        /unknown field "colour"/.test(error),
        "a misspelt name",
      );
    }
  }
  const error = errorOf(() => read({ ...config, colour: 1 }));
  check.holds(`${what} with a colour: ${error}`, /unknown field "colour"/.test(error), "a misspelt name");
}

claim(
  "each field of a recipe is refused by name where it is missing, unknown or of another type",
  (check) => {
    for (const [what, config, optional] of recipes) checkFieldsOf(check, what, config, optional, checkRecipe);
    const edm = recipes[0][1];
    const at = (path: string, value: unknown, base = edm) =>
      errorOf(() => checkRecipe(changed(base, path.split("."), value)));
    for (
      const [path, values] of [
        ["steps", [1]],
        ["batch", [1, 65_536]],
        ["labelDropout", [0, 1]],
        ["seed", [0]],
        ["objective.mean", [-9]],
      ] as const
    ) {
      for (const value of values) {
        check.equal(
          `${path} ${value}`,
          at(path, value),
          "no error",
          "the end of its range",
        );
      }
    }
    for (
      const [path, value, message] of [
        ["steps", 0, /^steps must be a positive integer, got 0$/],
        ["steps", 1.5, /^steps must be a positive integer, got 1\.5$/],
        ["batch", 0, /^batch must be a whole number from 1 to 65536, got 0$/],
        ["batch", 65_537, /^batch must be a whole number from 1 to 65536, got 65537$/],
        ["batch", 2.5, /^batch must be a whole number from 1 to 65536, got 2\.5$/],
        ["labelDropout", -0.01, /^labelDropout must be a finite number from 0 to 1, got -0\.01$/],
        ["labelDropout", 1.01, /^labelDropout must be a finite number from 0 to 1, got 1\.01$/],
        ["seed", -1, /^seed must be a whole number from 0 up, got -1$/],
        ["objective.std", 0, /^the objective's std must be a positive number, got 0$/],
        ["objective.sigmaData", 0, /^the objective's sigmaData must be a positive number, got 0$/],
        ["objective.kind", "flow", /^an objective's kind must be .*got "?flow/],
        ["optimizer.betas", [0.9, 0.9, 0.9], /^betas must be two numbers, got \[0\.9, ?0\.9, ?0\.9\]$/],
      ] as const
    ) {
      const error = at(path, value);
      check.holds(`${path} ${value}: ${error}`, message.test(error), "just outside its range");
    }
    const levels = recipes[1][1];
    check.holds(
      "no ratios",
      /^an objective needs at least one noise ratio$/.test(at("objective.ratios", [], levels)),
      "at least one",
    );
    check.holds(
      "a ratio of 0",
      /each of the objective's ratios must be a positive number, got 0$/.test(
        at("objective.ratios", [1, 0], levels),
      ),
      "positive",
    );
    const vp = recipes[2][1];
    check.holds(
      "weighting",
      /^weighting must be .*variance.*likelihood.*got "?flat/.test(at("objective.weighting", "flat", vp)),
      "one of three",
    );
    check.holds(
      "times",
      /^times must be .*uniform.*importance.*got "?flat/.test(at("objective.times", "flat", vp)),
      "one of two",
    );
    check.holds(
      "an unknown SDE",
      /^an SDE's kind must be .*got "?cosine/.test(at("objective.sde.kind", "cosine", vp)),
      "one of the registry",
    );
    const distillation = recipes[8][1];
    check.holds(
      "a range of three",
      /range must be two numbers, got \[1, ?2, ?3\]$/.test(at("objective.range", [1, 2, 3], distillation)),
      "two ends",
    );
  },
);

claim(
  "an unknown field is answered by the list of those that there are, in the documentation's order",
  (check) => {
    const [edm, levels, vp, , , , , , distillation] = recipes.map(([, config]) => config);
    const said = (config: Json, path: string) =>
      errorOf(() =>
        checkRecipe(changed(config, path === "" ? ["colour"] : [...path.split("."), "colour"], 1))
      );
    const lists: [what: string, error: string, fields: string][] = [
      ["a recipe", said(edm, ""), "objective, optimizer, steps, batch, labelDropout, seed, flip"],
      ["an optimizer", said(edm, "optimizer"), "rate, warmup, decay, betas, epsilon, clip, ema"],
      ["EDM's objective", said(edm, "objective"), "kind, mean, std, sigmaData"],
      ["levels", said(levels, "objective"), "kind, ratios"],
      ["an SDE's objective", said(vp, "objective"), "kind, sde, weighting, times, logit"],
      ["an SDE", said(vp, "objective.sde"), "kind, betaMin, betaMax, tMin, tMax"],
      [
        "consistency",
        said(distillation, "objective"),
        "kind, mean, std, range, highShare, highFrom, gap, huber, teacher",
      ],
      ["a gap", said(distillation, "objective.gap"), "first, last, settled"],
      ["a teacher", said(distillation, "objective.teacher"), "scale, from, to"],
    ];
    const file = (network: NetworkConfig, change: (model: Json) => Json) => {
      const model = { network, preconditioning: { sigmaData: 1, centre: 0 } } as unknown as Json;
      const metadata = { format: "score-sde model 1", model: JSON.stringify(change(model)) };
      return errorOf(() => readModel(writeSafetensors({ tensors: new Map(), metadata })));
    };
    const inNetwork = (network: NetworkConfig) =>
      file(network, (model) => changed(model, ["network", "colour"], 1));
    lists.push(
      [
        "a model",
        file(perceptron, (model) => ({ ...model, colour: 1 })),
        "network, preconditioning, consistency, units",
      ],
      [
        "a U-Net",
        inNetwork(small),
        "kind, height, width, channels, unshuffle, widths, blocks, middleBlocks, groups, embedding, noiseFeatures, attention, " +
        "classes, noiseConditional, wavePeriods",
      ],
      [
        "the tutorial's network",
        inNetwork(NETWORK_PRESETS.tutorial),
        "kind, widths, embedding, sigma, frequencyScale, frequencySeed, frequencies, unitRange",
      ],
      ["a perceptron", inNetwork(perceptron), "kind, dimensions, hidden, layers, noiseFeatures, classes"],
    );
    for (const [what, error, fields] of lists) {
      check.equal(
        what,
        error.replace(/^.*unknown field "colour"; its fields are /, ""),
        fields,
        "what may be written instead",
      );
    }
  },
);
