/**
 * diffusers' scheduler files: the betas, the last ᾱ and the prediction that they stand for.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type AnyScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { type GridConfig, timeGrid } from "../../../src/diffusion/time_grid.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { externalModel } from "../../../src/external/external_model.ts";
import { readSchedulerConfig } from "../../../src/external/scheduler_config.ts";
import { ddim } from "../../../src/samplers/ddim.ts";
import { odeEuler } from "../../../src/samplers/ode_euler.ts";
import { odeHeun } from "../../../src/samplers/ode_heun.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import type { Sampler } from "../../../src/samplers/sampler.ts";
import { claim } from "../../suite/claim.ts";

const read = (fields: Record<string, unknown>) =>
  readSchedulerConfig(JSON.stringify({ _class_name: "DDIMScheduler", ...fields }));

/** The betas of numpy 2.4 in float64, by diffusers' expressions: first, middle (index N/2), last, and the product of all 1 − β. */
const schedules: readonly (readonly [
  label: string,
  fields: Record<string, unknown>,
  betas: readonly number[],
  kept: number,
])[] = [
  ["linear", {}, [0.0001, 0.010059959959959959, 0.02], 4.035829765375676e-5],
  [
    "scaled_linear of Stable Diffusion",
    { beta_schedule: "scaled_linear", beta_start: 0.00085, beta_end: 0.012 },
    [0.00085, 0.00481495414171188, 0.012],
    0.004660098513077238,
  ],
  [
    "squaredcos_cap_v2",
    { beta_schedule: "squaredcos_cap_v2" },
    [4.128422482196914e-5, 0.003155691441585007, 0.999],
    2.4287669070348567e-9,
  ],
  [
    "scaled_linear of 100 steps",
    { beta_schedule: "scaled_linear", num_train_timesteps: 100 },
    [0.0001, 0.005833052388085722, 0.02],
    0.4845898112467671,
  ],
  ["trained_betas", { trained_betas: [0.1, 0.2, 0.5] }, [0.1, 0.2, 0.5], 0.36],
  [
    "the defaults of HeunDiscreteScheduler",
    { _class_name: "HeunDiscreteScheduler" },
    [0.00085, 0.006430580580580581, 0.012],
    0.0015789629305514416,
  ],
  [
    "the defaults of LCMScheduler",
    { _class_name: "LCMScheduler" },
    [0.00085, 0.00481495414171188, 0.012],
    0.004660098513077238,
  ],
];

claim("a scheduler file's betas are numpy's, and the last kept variance is their product", (check) => {
  for (const [label, fields, expected, kept] of schedules) {
    const { sde, steps } = read(fields);
    const betas = sde.config.kind === "ddpm" ? sde.config.betas : [];
    check.equal(`${label}, steps`, steps, betas.length, "one index for each β");
    [betas[0], betas[betas.length >> 1], betas.at(-1)!].forEach((beta, i) => {
      const what = `${label}, relative error of the ${["first", "middle", "last"][i]} β`;
      check.atMost(
        what,
        Math.abs(beta / expected[i] - 1),
        1e-10,
        "float64; 1 − ᾱ_n/ᾱ_{n−1} loses five digits",
      );
    });
    const last = sde.alpha(1) ** 2;
    check.atMost(`${label}, ᾱ_N`, Math.abs(last / kept - 1), 1e-9, "numpy's product of 1 − β_n");
  }
  check.equal("steps unasked", read({}).steps, 1000, "diffusers' num_train_timesteps");
});

claim(
  "DDIM at diffusers' linspace timesteps steps to the next visited one, and keeps the data's mean",
  async (check) => {
    // Mean and standard deviation of the samples in numpy, with the exact model of N(0.5, 2²): checks_of_findings.py of
    // examples/conformance. By diffusers' prev_timestep, 1000 // n below, they are 0.434 and 1.632, and 0.465 and 1.800.
    for (const [evaluations, deviation] of [[10, 1.6917145366174315], [20, 1.847965659938848]]) {
      const { sde, grid } = read({ timestep_spacing: "linspace" });
      const model = scoreModel(new Gaussian({ mean: [0.5], variances: [4] }), sde);
      const initial = tf.tensor2d([[0], [1]]);
      const options = { shape: [2, 1], grid: grid(evaluations - 1), rng: createRng(1), initial };
      const x = await drawSamples(model, ddim(), options);
      const [offset, one] = await x.data();
      tf.dispose([x, initial]);
      const slope = one - offset;
      const source = "DDIM's equation in numpy; float32";
      check.within(
        `${evaluations} timesteps: mean`,
        offset + slope * sde.alpha(1) * 0.5,
        0.5,
        1e-5,
        "DDIM is exact in the mean",
      );
      const start = Math.hypot(2 * sde.alpha(1), sde.sigma(1));
      check.within(`${evaluations} timesteps: standard deviation`, slope * start, deviation, 2e-5, source);
    }
  },
);

claim("a scheduler file says what a model predicts, by the names of externalModel", (check) => {
  const source = "diffusers' prediction_type";
  check.equal("unasked", read({}).prediction, "noise", source);
  check.equal("null", read({ prediction_type: null }).prediction, "noise", "Python's None is the default");
  check.equal("epsilon", read({ prediction_type: "epsilon" }).prediction, "noise", source);
  check.equal("sample", read({ prediction_type: "sample" }).prediction, "data", source);
  check.equal("v_prediction", read({ prediction_type: "v_prediction" }).prediction, "velocity", source);
  const spacing = (name: string, given?: string) =>
    read({ _class_name: name, timestep_spacing: given }).spacing;
  check.equal("spacing of DDIM", spacing("DDIMScheduler"), "leading", "its constructor's default");
  check.equal("spacing of Euler", spacing("EulerDiscreteScheduler"), "linspace", "its constructor's default");
  check.equal("spacing given", spacing("EulerDiscreteScheduler", "trailing"), "trailing", "the file");
});

/** Indices of numpy 2.4 by the expressions of diffusers' set_timesteps: 6 of 1000 steps, `leading` with an offset of 1, and 4 of 50. */
const spacings: Readonly<Record<string, Readonly<Record<string, readonly [number[], number[]]>>>> = {
  DDIMScheduler: {
    leading: [[831, 665, 499, 333, 167, 1], [36, 24, 12, 0]],
    linspace: [[999, 799, 599, 400, 200, 0], [49, 33, 16, 0]],
    trailing: [[999, 832, 666, 499, 332, 166], [49, 37, 24, 11]],
  },
  DPMSolverMultistepScheduler: {
    leading: [[853, 711, 569, 427, 285, 143], [40, 30, 20, 10]],
    linspace: [[999, 832, 666, 500, 333, 166], [49, 37, 24, 12]],
    trailing: [[999, 832, 666, 499, 332, 166], [49, 37, 24, 11]],
  },
  EulerDiscreteScheduler: {
    leading: [[831, 665, 499, 333, 167, 1], [36, 24, 12, 0]],
    linspace: [[999, 799.2, 599.4, 399.6, 199.8, 0], [49, 98 / 3, 49 / 3, 0]],
    trailing: [[999, 832, 666, 499, 332, 166], [49, 37, 24, 11]],
  },
};

claim(
  "a scheduler file's grid visits the indices that diffusers visits, at the times of its steps",
  (check) => {
    for (const [kind, rows] of Object.entries(spacings)) {
      for (const [spacing, [six, four]] of Object.entries(rows)) {
        const fields = {
          _class_name: kind,
          timestep_spacing: spacing,
          steps_offset: spacing === "leading" ? 1 : 0,
        };
        const { sde, grid } = read(fields);
        const config = grid(5);
        check.equal(
          `${kind}, ${spacing}`,
          config.indices!.map((index) => Math.round(index * 1e9) / 1e9),
          six,
          "numpy, by diffusers' expressions",
        );
        const worst = Math.max(...[...timeGrid(sde, config)].map((t, i) => Math.abs(t * 1000 - 1 - six[i])));
        check.atMost(`${kind}, ${spacing}: error of the times' indices`, worst, 1e-9, "t = (index + 1)/N");
        const few = read({ _class_name: kind, timestep_spacing: spacing, num_train_timesteps: 50 }).grid(3);
        const rounded = few.indices!.map((index) => Math.round(index * 1e9) / 1e9);
        check.equal(
          `${kind}, ${spacing}, 4 of 50`,
          rounded,
          four.map((index) => Math.round(index * 1e9) / 1e9),
          "numpy, by diffusers' expressions",
        );
      }
    }
    const curve = (field: string) =>
      read({ _class_name: "DPMSolverMultistepScheduler", [field]: true }).grid(7);
    check.equal(
      "use_karras_sigmas",
      curve("use_karras_sigmas"),
      { kind: "karras", steps: 7 },
      "Karras' ρ = 7",
    );
    for (const field of ["use_exponential_sigmas", "use_lu_lambdas"]) {
      check.equal(field, curve(field), { kind: "log-snr", steps: 7 }, "equal steps in ln σ/α");
    }
  },
);

claim("grids that a scheduler file does not give are refused in one sentence", async (check) => {
  const refused: [string, () => unknown, RegExp][] = [
    [
      "more steps than of training",
      () => read({ num_train_timesteps: 10 }).grid(10),
      /^a scheduler of 10 steps of training can have at most 10 of sampling, got 11$/,
    ],
    ["no steps", () => read({}).grid(0), /^steps must be a positive integer, got 0$/],
    [
      "an offset beyond the last step",
      () => read({ num_train_timesteps: 10, steps_offset: 1 }).grid(9),
      /^10 indices with leading spacing and steps_offset 1 are no steps of 10: a list of 10$/,
    ],
    [
      "a rule that is not read",
      () => read({ _class_name: "PNDMScheduler" }).grid(5),
      /^the scheduler "PNDMScheduler" chooses its steps by a rule that is not read: give a grid$/,
    ],
    [
      "β sigmas",
      () => read({ use_beta_sigmas: true }).grid(5),
      /^use_beta_sigmas chooses steps by a rule that is not read: give a grid$/,
    ],
    [
      "half an offset",
      () => read({ steps_offset: 0.5 }),
      /^steps_offset must be a whole number from 0 up, got 0.5$/,
    ],
  ];
  for (const [label, action, message] of refused) await check.throws(label, action, message);
});

/** Stable Diffusion's betas, rescaled, for a model that predicts velocities. */
const zeroSnr = {
  rescale_betas_zero_snr: true,
  ...{ beta_schedule: "scaled_linear", beta_start: 0.00085, beta_end: 0.012 },
  ...{ prediction_type: "v_prediction", timestep_spacing: "trailing" },
};

/** The mean and the standard deviation of a run's samples, from those of starts at 0 and 1: an affine model's run is affine. */
async function lawOf(
  model: AnyScoreModel,
  sampler: Sampler,
  grid: GridConfig | Float64Array,
  initial: tf.Tensor,
  start: { readonly mean: number; readonly std: number },
): Promise<readonly [mean: number, std: number]> {
  const x = await drawSamples(model, sampler, { shape: [2, 1], grid, rng: createRng(1), initial });
  const [offset, one] = await x.data();
  tf.dispose([x, initial]);
  return [offset + (one - offset) * start.mean, (one - offset) * start.std];
}

claim("a file of zero terminal SNR draws from noise alone what diffusers draws", async (check) => {
  const file = read(zeroSnr);
  const { betas } = file.sde.config as { betas: readonly number[] };
  const source = "numpy by Lin et al. 2024, Alg. 1";
  for (const [n, beta] of [[0, 0.00085], [500, 0.005530567784482576], [998, 0.751137004176492], [999, 1]]) {
    check.within(`β_${n + 1}`, betas[n], beta, 1e-12, source);
  }
  check.within("ᾱ_500", file.sde.alpha(0.5) ** 2, 0.24235916655614523, 1e-12, source);
  const grid = file.grid(9);
  const visited = [998, 899, 799, 699, 599, 499, 399, 299, 199, 99];
  check.equal("indices", grid.indices, visited, "diffusers' trailing, 998 for 999");
  // The exact velocity of N(0.5, 2²); at α = 0 the data's mean is all that is known.
  const told: number[] = [];
  const external = externalModel(
    (x, index) => {
      const n = index.dataSync()[0] + 1;
      told.push(n - 1);
      const alpha = n === 1000 ? 0 : file.sde.alpha(n / 1000);
      const sigma = n === 1000 ? 1 : file.sde.sigma(n / 1000);
      const data = x.sub(alpha * 0.5).mul(alpha * 4 / (alpha ** 2 * 4 + sigma ** 2)).add(0.5);
      return x.sub(data.mul(alpha)).mul(alpha / sigma).sub(data.mul(sigma));
    },
    file,
  );
  const model = scoreModel(external, file.sde);
  const times = timeGrid(file.sde, grid).subarray(1);
  const z = tf.tensor2d([[0], [1]]);
  const initial = await external.fromPureNoise!(z, times[0]);
  z.dispose();
  const [mean, std] = await lawOf(model, ddim(), times, initial, { mean: 0, std: 1 });
  const equation = "numpy in float64, to which diffusers 0.40's DDIMScheduler comes to 2e-7; float32";
  check.within("mean", mean, 0.5, 1e-5, equation);
  check.within("standard deviation", std, 1.757720793370872, 1e-5, equation);
  const distinct = [...new Set(told.map(Math.round))];
  check.equal("indices that the model is told", distinct, [999, ...visited.slice(1)], "diffusers' timesteps");
});

claim(
  "a file of zero terminal SNR is refused where noise is predicted, or every step is taken",
  async (check) => {
    await check.throws(
      "epsilon",
      () => read({ ...zeroSnr, prediction_type: undefined }),
      /^rescale_betas_zero_snr makes the last ᾱ 0, .*: prediction_type must be "sample" or "v_prediction", got "epsilon"$/,
    );
    await check.throws("data", () => read({ ...zeroSnr, prediction_type: "sample" }), /^no error$/);
    const few = read({ ...zeroSnr, num_train_timesteps: 20 });
    check.equal("10 of 20", few.grid(9).indices!.slice(0, 2), [18, 17], "numpy: 19, 17, …");
    await check.throws(
      "20 of 20",
      () => few.grid(19),
      /^a scheduler of zero terminal SNR steps from noise alone past the next step: 19 are too many$/,
    );
  },
);

/** sigmas of diffusers 0.40, by its expressions in numpy: 6 steps, without the last 0. */
const flowTimes: readonly (readonly [shift: number | undefined, times: readonly number[]])[] = [
  [undefined, [1, 0.8002, 0.6004, 0.4006, 0.2008, 0.001]],
  [
    3,
    [1, 0.923342541436464, 0.8189233278955955, 0.6683266932270917, 0.432225063938619, 0.00892857142857143],
  ],
];

/**
 * By kind of file the sampler, its evaluations of those 6 times, and the standard deviations of its samples of N(0.5, 2²) from
 * 0.999 with the shifts of `flowTimes`: of Euler's steps in numpy in float64, 0.001 above those from 1, and of diffusers' own
 * FlowMatchHeunDiscreteScheduler in float64.
 */
const flowSamplers = [
  ["FlowMatchEulerDiscreteScheduler", odeEuler(), 6, [1.4789021671179987, 1.5223379648506616]],
  ["FlowMatchHeunDiscreteScheduler", odeHeun(), 11, [1.9451348167227172, 1.8961376856445815]],
] as const;

claim(
  "a file of flow matching visits diffusers' times, and tells the model a thousand times them",
  async (check) => {
    const cases = flowSamplers.flatMap(([kind, sampler, evaluations, stds]) =>
      flowTimes.map(([shift, sigmas], i) => ({ kind, sampler, evaluations, shift, sigmas, std: stds[i] }))
    );
    for (const { kind, sampler, evaluations, shift, sigmas, std } of cases) {
      const file = read({ _class_name: kind, shift });
      check.equal("prediction, steps, spacing", [file.prediction, file.steps, file.spacing], [
        "flow",
        1000,
        null,
      ], "the file and the constructor's defaults");
      const times = timeGrid(file.sde, file.grid(5));
      for (const [i, sigma] of sigmas.entries()) {
        const expected = i === 0 ? 0.999 : sigma;
        check.within(
          `shift ${shift}: time ${i + 1}`,
          times[i],
          expected,
          1e-12,
          "set_timesteps, 0.999 for 1",
        );
      }
      const told: number[] = [];
      const model = scoreModel(
        externalModel((x, condition) => {
          const t = condition.dataSync()[0] / 1000;
          told.push(t);
          const alpha = 1 - t;
          const data = x.sub(alpha * 0.5).mul(alpha * 4 / (alpha ** 2 * 4 + t ** 2)).add(0.5);
          return x.sub(data.mul(alpha)).div(t).sub(data);
        }, file),
        file.sde,
      );
      const start = { mean: 0.001 * 0.5, std: Math.hypot(0.001 * 2, 0.999) };
      const law = await lawOf(model, sampler, file.grid(5), tf.tensor2d([[0], [1]]), start);
      const source = "Euler's steps in numpy, FlowMatchHeunDiscreteScheduler; float32";
      check.within(`shift ${shift}: mean`, law[0], 0.5, 1e-5, source);
      check.within(`shift ${shift}: standard deviation`, law[1], std, 2e-5, source);
      // Heun's rule asks at a step's end, and the next step at its start.
      const asked = Array.from(
        { length: evaluations },
        (_, i) => times[evaluations === 6 ? i : Math.ceil(i / 2)],
      );
      const apart = Math.max(...asked.map((t, i) => Math.abs(t - told[i])));
      check.atMost(`shift ${shift}: times that the model is told`, apart, 1e-6, "N t; float32");
      check.equal(
        `shift ${shift}: evaluations`,
        told.length,
        evaluations,
        "one or two a step, and the denoising",
      );
    }
  },
);

claim("files of flow matching whose times go by another rule are refused by name", async (check) => {
  const flow = (fields: object) => read({ _class_name: "FlowMatchEulerDiscreteScheduler", ...fields });
  const cases: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      "dynamic",
      () => flow({ use_dynamic_shifting: true }),
      /^use_dynamic_shifting chooses the states of flow/,
    ],
    [
      "inverted",
      () => flow({ invert_sigmas: true }),
      /^invert_sigmas chooses the states of flow matching by a/,
    ],
    [
      "terminal",
      () => flow({ shift_terminal: 0.1 }),
      /^shift_terminal chooses the states of flow matching by a/,
    ],
    ["no terminal", () => flow({ shift_terminal: null }), /^no error$/],
    ["shift 0", () => flow({ shift: 0 }), /^shift must be a positive number, got 0$/],
    [
      "Karras",
      () => flow({ use_karras_sigmas: true }).grid(5),
      /^use_karras_sigmas chooses times of flow matching/,
    ],
    [
      "too many",
      () => flow({ shift: 3 }).grid(500),
      /^the second of 500 steps with shift 3 is at time 0\.999\d+, where models are not asked beyond 0\.999: /,
    ],
    ["one step", () => timeGrid(flow({}).sde, flow({}).grid(1)), /^no error$/],
  ];
  for (const [what, action, message] of cases) await check.throws(what, action, message);
});

claim("a model with a scheduler file's options is given the indices 0 to N − 1", async (check) => {
  const options = read({ beta_schedule: "scaled_linear", num_train_timesteps: 4 });
  const given: number[] = [];
  const model = externalModel((x, index) => {
    given.push(...index.dataSync());
    return x.mul(0);
  }, options);
  const { sde } = options;
  const y = tf.zeros([4, 2]);
  const ratios = [1, 2, 3, 4].map((n) => sde.sigma(n / 4) / sde.alpha(n / 4));
  tf.dispose([await model.predictNoise(y, Float64Array.from(ratios)), y]);
  for (const [n, index] of given.entries()) {
    check.atMost(`index of step ${n + 1}`, Math.abs(index - n), 1e-5, "diffusers counts steps from 0");
  }
  check.equal("indices", given.length, 4, "one for each row");
});

claim(
  "scheduler files that are read wrongly by a DDPM's betas are refused in one sentence",
  async (check) => {
    const known =
      "DDPMScheduler, DDPMParallelScheduler, DDIMScheduler,.*TCDScheduler, FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler";
    const refused: [string, unknown, RegExp][] = [
      ["no JSON", "{", /^the scheduler's file is not JSON/],
      ["a list", "[]", /^the scheduler's file must be an object, got \[\]$/],
      ["no kind", "{}", /^the scheduler's file must name its kind as _class_name, got undefined$/],
      ["no text", 1, /^the scheduler's file must be text, got 1$/],
      [
        "another kind",
        { _class_name: "VQDiffusionScheduler" },
        new RegExp(`^the scheduler "VQDiffusionScheduler" is not known; those that are read are ${known}$`),
      ],
      ["a kind of all objects", { _class_name: "constructor" }, /^the scheduler "constructor" is not known/],
      [
        "flow matching",
        { _class_name: "FlowMatchLCMScheduler" },
        /^the scheduler "FlowMatchLCMScheduler" chooses its states by a rule that is not read; of flow matching FlowMatchEulerDiscreteScheduler and FlowMatchHeunDiscreteScheduler are$/,
      ],
      [
        "flow matching by a field",
        { _class_name: "UniPCMultistepScheduler", use_flow_sigmas: true },
        /^use_flow_sigmas chooses the states of flow matching by a rule that is not read/,
      ],
      [
        "EDM",
        { _class_name: "EDMEulerScheduler" },
        /^the scheduler "EDMEulerScheduler" has no betas: give externalModel veSde\(\), prediction "edm", conditioning "log-sigma-quarter" and sigmaData$/,
      ],
      [
        "the variance exploding SDE",
        { _class_name: "ScoreSdeVeScheduler" },
        /^the scheduler "ScoreSdeVeScheduler" has no betas: give externalModel veSde\(\), prediction "score" or "noise" and conditioning "sigma"$/,
      ],
      [
        "logarithms instead of an index",
        { _class_name: "EulerDiscreteScheduler", timestep_type: "continuous" },
        /^timestep_type must be "discrete", an index, got "continuous": give externalModel veSde\(\)/,
      ],
      [
        "another schedule",
        { beta_schedule: "laplace" },
        /^beta_schedule must be "linear" or "scaled_linear" or "squaredcos_cap_v2" or "sigmoid", got "laplace"$/,
      ],
      [
        "another prediction",
        { prediction_type: "flow_prediction" },
        /^prediction_type must be "epsilon" or "sample" or "v_prediction", got "flow_prediction"$/,
      ],
      [
        "another spacing",
        { timestep_spacing: "even" },
        /^timestep_spacing must be "leading" or "linspace" or "trailing", got "even"$/,
      ],
      [
        "half a step",
        { num_train_timesteps: 10.5 },
        /^num_train_timesteps must be a whole number from 2 to 10000000, got 10.5$/,
      ],
      ["a β of 0", { beta_start: 0 }, /^beta_start must be a finite number above 0 and below 1, got 0$/],
      [
        "a β as text",
        { beta_end: "0.02" },
        /^beta_end must be a finite number above 0 and below 1, got "0.02"$/,
      ],
      ["one β", { trained_betas: [0.1] }, /^trained_betas must hold at least two betas, got 1$/],
      [
        "a β of 1",
        { trained_betas: [0.1, 1] },
        /^each of trained_betas must be a finite number above 0 and below 1, got 1$/,
      ],
    ];
    for (const [label, fields, message] of refused) {
      const open = () =>
        typeof fields === "object"
          ? read(fields as Record<string, unknown>)
          : readSchedulerConfig(fields as string);
      await check.throws(label, open, message);
    }
  },
);
