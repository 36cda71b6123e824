/**
 * The tasks whose flags stand for a request, and what their flags need beside them: a command line to begin with, and another
 * value where the flag's domain does not say one. A flag without an effect on the request must say here what it does.
 * @module
 */
import type { Flag } from "../../scripts/cli/flags.ts";
import type { Task } from "../../scripts/cli/task.ts";
import { task as average } from "../../scripts/average.ts";
import { task as bench } from "../../scripts/bench.ts";
import { task as benchShards } from "../../scripts/bench_shards.ts";
import { task as colorize } from "../../scripts/colorize.ts";
import { task as convert } from "../../scripts/convert.ts";
import { task as compare } from "../../scripts/compare.ts";
import { task as elbo } from "../../scripts/elbo.ts";
import { task as evaluate } from "../../scripts/evaluate.ts";
import { task as interpolate } from "../../scripts/interpolate.ts";
import { task as exportTask } from "../../scripts/export.ts";
import { task as likelihood } from "../../scripts/likelihood.ts";
import { task as ncsnPlan } from "../../scripts/ncsn_plan.ts";
import { task as inpaint } from "../../scripts/inpaint.ts";
import { task as join } from "../../scripts/join.ts";
import { task as plan } from "../../scripts/plan.ts";
import { task as restore } from "../../scripts/restore.ts";
import { task as select } from "../../scripts/select.ts";
import { task as sample } from "../../scripts/sample.ts";
import { subtasks as toys, task as toy } from "../../scripts/toy.ts";
import { task as site } from "../../site/task.ts";
import { task as train } from "../../scripts/train.ts";
import { task as trainClassifier } from "../../scripts/train_classifier.ts";
import { task as tune } from "../../scripts/tune.ts";

/** A task and the lines that vary its flags. */
export interface TaskRow {
  readonly task: Task<Record<string, Flag<unknown>>, unknown, unknown>;
  /** Flags that are given beside all. */
  readonly base?: string;
  /**
   * For a flag that the task's defaults refuse, flags beside which it is given, with and without it; and its value where that of
   * its domain would be refused. $CHECKPOINT is a file with a small network, $PLAN one with a noise plan, $FOLDER their folder.
   */
  readonly beside?: Readonly<Record<string, { readonly flags?: string; readonly value?: string }>>;
}

const onnx = "--checkpoint $FOLDER/model.onnx";

/** Of models in ONNX files, which a request names and does not open. */
const external: TaskRow["beside"] = {
  prediction: { flags: `${onnx} --schedule $FOLDER/scheduler_config.json`, value: "v_prediction" },
  conditioning: { flags: `${onnx} --schedule $FOLDER/scheduler_config.json`, value: "time" },
  layout: { flags: `${onnx} --schedule $FOLDER/scheduler_config.json`, value: "nhwc" },
  schedule: {
    flags: `${onnx} --prediction score --conditioning time`,
    value: "$FOLDER/scheduler_config.json",
  },
};

/** Of one sampler's flags, and the checkpoint's. */
const oneSampling: TaskRow["beside"] = {
  shift: { flags: "--grid shifted", value: "2" },
  snr: { flags: "--sampler predictor-corrector", value: "0.3" },
  correctorSteps: { flags: "--sampler predictor-corrector", value: "2" },
  correctorRule: { flags: "--sampler predictor-corrector", value: "ald" },
  predictor: { flags: "--sampler predictor-corrector", value: "ddpm" },
  langevinStep: { flags: "--sampler annealed-langevin", value: "1e-5" },
  gamma: { flags: "--sampler edm-stochastic", value: "0.3" },
  sChurn: { flags: "--sampler edm-stochastic", value: "3" },
  sTmin: { flags: "--sampler edm-stochastic", value: "0.1" },
  sTmax: { flags: "--sampler edm-stochastic", value: "20" },
  sNoise: { flags: "--sampler edm-stochastic", value: "1.01" },
  eta: { flags: "--sampler ddim", value: "0.5" },
  predictorOrder: { flags: "--sampler sa-solver", value: "2" },
  correctorOrder: { flags: "--sampler sa-solver", value: "2" },
  tau: { flags: "--sampler sa-solver", value: "0.5" },
  solverType: { flags: "--sampler sde-dpm++2m", value: "heun" },
  lastOrders: { flags: "--sampler dpm-solver-fast", value: "1" },
  lastStep: { flags: "--sampler unipc", value: "ddim" },
  solverOrder: { flags: "--sampler unipc", value: "3" },
  bFunction: { flags: "--sampler unipc", value: "bh2" },
  solverPrediction: { flags: "--sampler unipc", value: "data" },
  rtol: { flags: "--sampler ode-dopri5", value: "1e-3" },
  atol: { flags: "--sampler ode-dopri5", value: "1e-3" },
  sampler: { value: "euler-maruyama" },
  checkpoint: { value: "$CHECKPOINT" },
};

const sampling: TaskRow["beside"] = {
  ...oneSampling,
  ...external,
  levels: { value: "2,0.5" },
  guidanceMinSigma: { value: "0.2" },
  guidanceMaxSigma: { value: "9" },
};

/** Without the gradients that ONNX files lack, and with them. */
const replacement = Object.fromEntries(
  Object.entries(external).map(([key, row]) => [key, { ...row, flags: `${row.flags} --method replacement` }]),
);
const gradient = {
  ...Object.fromEntries(
    Object.entries(external).map(([key, row]) => [key, { ...row, flags: `${row.flags} --pull-back a.onnx` }]),
  ),
  pullBack: { flags: `${onnx} --prediction score --conditioning time --pull-back a.onnx`, value: "b.onnx" },
};

/** Of the tasks that draw from posteriors; the default number of iterations of mmps is what the domain would give. */
const posterior: TaskRow["beside"] = {
  ...oneSampling,
  resize: { flags: "--input other.png" },
  data: { flags: "--input mnist" },
  label: { value: "7" },
  output: { value: "other.npy" },
  iterations: { flags: "--method mmps", value: "7" },
  scale: { flags: "--method dps", value: "7" },
  lambda: { flags: "--method diffpir", value: "7" },
  particles: { flags: "--method twisted", value: "7" },
};

/** Those of the rows whose flags a task has. */
function among({ usage }: { readonly usage: { readonly flags: object } }, rows: TaskRow["beside"] = {}) {
  return Object.fromEntries(Object.entries(rows).filter(([key]) => Object.hasOwn(usage.flags, key)));
}

/** Of `toy` and its experiments. */
function toyRow(task: typeof toy): TaskRow {
  const beside = {
    data: { value: "moons" },
    stepSize: { value: "1e-3" },
    methods: { value: "implicit,sliced" },
  };
  return { task: task as TaskRow["task"], beside: among(task, beside) };
}

/** Flags that decide nothing in a request, and what they do: every other one must. */
export const presentation: Readonly<Record<string, string>> = {
  json: "the result is printed as JSON",
};

/** The tasks by name, with the word that follows where a task has several. */
export const taskRows: Readonly<Record<string, TaskRow>> = {
  sample: {
    task: sample as TaskRow["task"],
    base: "--checkpoint mnist",
    beside: {
      ...sampling,
      clip: { flags: "--clip range", value: "dynamic" },
      clipPercentile: { flags: "--clip dynamic", value: "0.9" },
      checkpoint: { value: "mnist-consistency" },
      guideCheckpoint: { value: "$CHECKPOINT" },
      sigma: { flags: "--sde sigma-power", value: "20" },
      plan: { value: "$PLAN" },
      output: { value: "other.gif" },
      resume: { flags: "--output a.npy" },
      shard: { flags: "--output a.npy", value: "2/2" },
    },
  },
  inpaint: {
    task: inpaint as TaskRow["task"],
    beside: {
      ...posterior,
      ...replacement,
      pullBack: gradient.pullBack,
      method: { value: "repaint" },
      resamplings: { flags: "--method repaint" },
      hiddenFraction: { flags: "--mask random", value: "0.9" },
    },
  },
  colorize: {
    task: colorize as TaskRow["task"],
    beside: {
      ...posterior,
      ...replacement,
      pullBack: { ...gradient.pullBack, flags: `${gradient.pullBack.flags} --method pigdm` },
      method: { value: "repaint" },
      resamplings: { flags: "--method repaint" },
    },
  },
  plan: {
    task: plan as TaskRow["task"],
    beside: {
      checkpoint: { value: "$CHECKPOINT" },
      sampler: { value: "euler-maruyama" },
      label: { value: "7" },
      output: { value: "$FOLDER/jobs" },
    },
  },
  export: {
    task: exportTask as TaskRow["task"],
    beside: { checkpoint: { value: "$CHECKPOINT" }, output: { value: "other.onnx" } },
  },
  convert: {
    task: convert as TaskRow["task"],
    base: "--input a.safetensors --output b.safetensors",
    beside: {
      output: { value: "c.safetensors" },
      names: { flags: "--to state-dict" },
      pixels: { value: "signed" },
    },
  },
  join: {
    task: join as TaskRow["task"],
    base: "--parts part-%.npy --shards 2 --output whole.npy",
    beside: { parts: { value: "other-%.npy" } },
  },
  restore: {
    task: restore as TaskRow["task"],
    beside: {
      ...posterior,
      ...gradient,
      blur: { flags: "--operator blur" },
      directions: { flags: "--operator projection" },
    },
  },
  evaluate: {
    task: evaluate as TaskRow["task"],
    base: "--checkpoint mnist",
    beside: {
      ...sampling,
      checkpoint: { value: "mnist-consistency" },
      guideCheckpoint: { value: "$CHECKPOINT" },
    },
  },
  train: {
    task: train as TaskRow["task"],
    base: "--data $FOLDER --out $FOLDER/new",
    beside: {
      data: { value: "$FOLDER/more" },
      size: { value: "16" },
      skipCorrupt: { flags: "--data $FOLDER/pictures" },
      labels: { flags: "--data $FOLDER/points.csv", value: "kind" },
      holdout: { value: "0.5" },
      network: { value: "tutorial" },
      decay: { value: "constant" },
      from: { value: "$CHECKPOINT" },
      objective: { value: "consistency-training" },
      guidance: { flags: "--objective consistency --from $CHECKPOINT", value: "2" },
      weighting: { value: "likelihood" },
      sigma: { flags: "--sde sigma-power" },
      plan: { value: "$PLAN" },
      times: { flags: "--sde vp --times uniform", value: "importance" },
      logitMean: { flags: "--sde vp --times logit-normal", value: "1" },
      logitStd: { flags: "--sde vp --times logit-normal", value: "2" },
      minNoise: { flags: "--sde ve", value: "0.1" },
      steps: { flags: "--resume $FOLDER/checkpoint.safetensors", value: "90" },
      seed: { flags: "--resume $FOLDER/checkpoint.safetensors", value: "7" },
      resume: { value: "$FOLDER/checkpoint.safetensors" },
    },
  },
  "train:classifier": { task: trainClassifier as TaskRow["task"] },
  elbo: { task: elbo as TaskRow["task"] },
  interpolate: {
    task: interpolate as TaskRow["task"],
    beside: { images: { value: "4,2" }, output: { value: "other.png" } },
  },
  "ncsn:plan": { task: ncsnPlan as TaskRow["task"] },
  likelihood: {
    task: likelihood as TaskRow["task"],
    beside: { ...gradient, tolerance: { flags: "--method dopri5" }, draws: { flags: "--method elbo" } },
  },
  tune: {
    task: tune as TaskRow["task"],
    base: "--steps 2,3",
    beside: {
      ...among(tune, sampling),
      sampler: { value: "dpm++2m" },
      steps: { value: "4,5" },
      grid: { value: "karras" },
    },
  },
  site: { task: site as TaskRow["task"], beside: { port: { value: "8080" } } },
  average: {
    task: average as TaskRow["task"],
    base: "--checkpoints $FOLDER/two",
    beside: {
      checkpoints: { value: "$FOLDER/three" },
      from: { value: "2" },
      to: { value: "1" },
      output: { value: "new.safetensors" },
    },
  },
  select: {
    task: select as TaskRow["task"],
    base: "--checkpoints $FOLDER/run",
    beside: {
      ...among(select, sampling),
      checkpoints: { value: "$FOLDER/later" },
      data: { value: "cifar10" },
      size: { value: "16" },
      sigma: { flags: "--sde sigma-power", value: "20" },
    },
  },
  bench: {
    task: bench as TaskRow["task"],
    beside: {
      network: { flags: "--growth", value: "tutorial" },
      side: { value: "32" },
      engine: { value: "wasm,onnx" },
      checkpoint: { flags: "--digits" },
      digitsRounds: { flags: "--digits" },
      twinSteps: { flags: "--digits --against pytorch" },
    },
  },
  "bench:shards": {
    task: benchShards as TaskRow["task"],
    beside: { checkpoint: { value: "$CHECKPOINT" } },
  },
  toy: toyRow(toy),
  ...Object.fromEntries(
    Object.entries(toys).filter(([, task]) => task !== toy).map((
      [name, task],
    ) => [`toy ${name}`, toyRow(task)]),
  ),
  compare: {
    task: compare as TaskRow["task"],
    beside: {
      ...Object.fromEntries(
        Object.entries(among(compare, sampling)).map(([key, { value }]) => [key, { value }]),
      ),
      ...external,
      grid: { value: "karras" },
      guideCheckpoint: { flags: "--guidance 2", value: "$CHECKPOINT" },
      baselineSteps: { flags: "--baseline other.safetensors" },
    },
  },
};
