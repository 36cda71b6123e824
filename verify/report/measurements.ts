/**
 * The measurements that docs/results.md states: for each the command that makes it, and the rows that its JSON fills.
 * @module
 */

/** A row of the page's first table. */
export type ResultRow = readonly [what: string, value: string];

/** One command, and what the page takes of its output. */
export interface Measurement {
  /** Name of its file in docs/results/, without the ending. */
  readonly name: string;
  /** The words after `deno task`, without --json and without an output file. */
  readonly command: readonly string[];
  /** The name of a file that it writes beside what it prints; written to a temporary folder. Absent for none. */
  readonly output?: string;
  /** Its rows; throws a TypeError where the JSON lacks a number. */
  rows(result: unknown): readonly ResultRow[];
}

/**
 * The number at a path of keys in parsed JSON.
 * @throws {TypeError} if there is none
 */
export function numberAt(value: unknown, ...path: (string | number)[]): number {
  const step = (inner: unknown, key: string | number) =>
    (inner as Record<string, unknown> | undefined)?.[key];
  const found = path.reduce(step, value);
  if (typeof found !== "number") {
    throw new TypeError(`a result must have a number ${path.join(".")}, got ${found}`);
  }
  return found;
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

/** The kernel distance at a path of keys, with its standard error. */
function kernel(result: unknown, ...path: string[]): string {
  const [distance, error] = ["kernelDistance", "kernelError"].map((key) =>
    numberAt(result, ...path, key).toFixed(2)
  );
  return `${distance} ± ${error}`;
}

function qualityRows(result: unknown): ResultRow[] {
  const count = numberAt(result, "count").toLocaleString("en");
  const beside = (what: string, key: string, shown: (value: number) => string): ResultRow => [
    `${what} of ${count} digits to MNIST's test images`,
    `${shown(numberAt(result, key))}; of as many training images ${shown(numberAt(result, "floor", key))}`,
  ];
  return [
    beside("Fréchet distance", "frechet", (value) => value.toFixed(2)),
    [
      `kernel distance of ${count} digits to MNIST's test images`,
      `${kernel(result)}; of as many training images ` +
      kernel(result, "floor"),
    ],
    beside("precision", "precision", percent),
    beside("recall", "recall", percent),
    beside("label accuracy", "accuracy", percent),
    ["network calls for one of those digits", String(numberAt(result, "evaluations"))],
  ];
}

/** Digits of the consistency function in a few evaluations. */
function consistency(steps: number): Measurement {
  return {
    name: `evaluate_consistency_${steps}`,
    command: ["evaluate", "--checkpoint", "mnist-consistency", "--steps", String(steps)],
    rows: (result) => {
      const digits = `of ${numberAt(result, "count").toLocaleString("en")} digits of \`mnist-consistency\``;
      const calls = numberAt(result, "evaluations");
      const shares = ["precision", "recall", "accuracy"].map((key) => percent(numberAt(result, key)));
      return [
        [
          `Fréchet distance ${digits}, ${calls} network ${calls === 1 ? "call" : "calls"} each`,
          numberAt(result, "frechet").toFixed(2),
        ],
        ["their precision, recall and label accuracy", shares.join(", ")],
      ];
    },
  };
}

/** Bits per dimension with their standard error over images. */
function bits(result: unknown): string {
  return `${numberAt(result, "bitsPerDimension").toFixed(3)} ± ${
    numberAt(result, "standardError").toFixed(3)
  }`;
}

/** Inpainting of 500 test digits, one sample each. */
function inpainting(name: string, flags: readonly string[], how: string): Measurement {
  return {
    name,
    command: ["inpaint", ...flags, "--input", "mnist:0-499", "--count", "1"],
    output: "inpaint.png",
    rows: (result) => [
      [`500 test digits ${how}: share that keeps its class`, percent(numberAt(result, "kept"))],
      ["largest change of a known pixel", String(numberAt(result, "knownError"))],
    ],
  };
}

/** Twenty test digits from the means of 4×4 pixels, by a method of posterior sampling. */
function restoration(method: string, words: string): Measurement {
  return {
    name: `restore_${method}`,
    command: ["restore", "--input", "mnist:0-19", "--count", "4", "--method", method],
    output: "restore.png",
    rows: (result) => [
      [
        `20 test digits restored from 4×4 means ${words}: error of the mean of 4 samples, of a sample`,
        `${numberAt(result, "meanError").toFixed(3)}, ${numberAt(result, "sampleError").toFixed(3)}`,
      ],
    ],
  };
}

/** All of them, in the page's order. */
export const measurements: readonly Measurement[] = [
  { name: "evaluate", command: ["evaluate", "--checkpoint", "mnist"], rows: qualityRows },
  consistency(1),
  consistency(3),
  {
    name: "likelihood",
    command: ["likelihood", "--limit", "256"],
    rows: (result) => [["bits per dimension of 256 test images, by the probability flow", bits(result)]],
  },
  {
    name: "likelihood_elbo",
    command: ["likelihood", "--method", "elbo", "--sde", "vp", "--limit", "10000", "--draws", "2"],
    rows: (result) => [
      ["bits per dimension of all 10,000 test images, bounded by the likelihood-weighted loss", bits(result)],
      [
        "variance of that loss with uniform times, over that with times drawn by importance",
        (numberAt(result, "variances", "uniform") / numberAt(result, "variances", "importance")).toFixed(0),
      ],
    ],
  },
  {
    name: "elbo",
    command: ["elbo", "--limit", "16"],
    rows: (result) => [["DDPM's bound for 16 test images, 1,000 steps, in bits per dimension", bits(result)]],
  },
  inpainting("inpaint_left", ["--mask", "left"], "without their left half"),
  inpainting(
    "inpaint_left_label",
    ["--mask", "left", "--label", "own"],
    "without that half, given the class",
  ),
  inpainting("inpaint_stripe", ["--mask", "vertical-stripe"], "without a vertical stripe of 6 columns"),
  inpainting(
    "inpaint_stripe_label",
    ["--mask", "vertical-stripe", "--label", "own"],
    "without the stripe, given the class",
  ),
  inpainting(
    "inpaint_stripe_replacement",
    ["--mask", "vertical-stripe", "--method", "replacement"],
    "without the stripe, by Song et al.'s replacement",
  ),
  restoration("pigdm", "by ΠGDM"),
  restoration("mmps", "by MMPS"),
  restoration("tmpd", "by TMPD"),
  restoration("dps", "by DPS"),
  restoration("diffpir", "by DiffPIR"),
  restoration("twisted", "by twisted sampling, 16 particles"),
  {
    name: "shards",
    command: ["bench:shards", "--engine", "onnx"],
    rows: (result) => {
      const whole = (key: string) => numberAt(result, key).toLocaleString("en");
      const megabytes = (...path: string[]) => `${(numberAt(result, "memory", ...path) / 1e6).toFixed(0)} MB`;
      const { killed, equal } = result as { killed: { shard: number; after: number } | null; equal: boolean };
      const interrupted = killed === null
        ? ""
        : `, the ${killed.shard}th killed after ${killed.after.toLocaleString("en")} and resumed`;
      const calls = numberAt(result, "evaluations");
      return [
        [
          `${whole("count")} digits of \`mnist-consistency\`, ${calls} network ${
            calls === 1 ? "call" : "calls"
          } each, ` +
          "by one process: digits a second",
          numberAt(result, "throughput", "whole").toFixed(0),
        ],
        [
          `the same in ${whole("shards")} shards, ${
            whole("processes")
          } processes beside each other${interrupted}, ` +
          "and joined: digits a second; whether the bytes are those of the one process",
          `${numberAt(result, "throughput", "shards").toFixed(0)}; ${equal ? "equal" : "not equal"}`,
        ],
        [
          "memory of the one process after a tenth and after nine tenths of the digits",
          `${megabytes("whole", "early")}, ${megabytes("whole", "late")}`,
        ],
        [
          "of the shard that held the most",
          `${megabytes("shards", "early")}, ${megabytes("shards", "late")}`,
        ],
      ];
    },
  },
  {
    name: "toy_modes",
    command: ["toy", "modes"],
    output: "toy",
    rows: (result) =>
      (result as { rows: { sampler: string }[] }).rows.map((row) => [
        `share of the mode of weight ${numberAt(row, "weight")} by ${row.sampler}, 95% interval`,
        `${percent(numberAt(row, "share"))} (${percent(numberAt(row, "low"))} to ${
          percent(numberAt(row, "high"))
        })`,
      ]),
  },
];

/** Samplers whose steps are of the noise ratio, by the names of `deno task compare`. */
const ofRatio = [
  ...[
    "ddim",
    "dpm++2m",
    "unipc",
    "ancestral",
    "sde-dpm++2m",
    "dpm++2s",
    "dpm-solver-2",
    "edm-heun",
    "dpm-solver-3",
  ],
  ...["edm-stochastic", "lms", "deis", "ipndm", "pndm", "sde-dpm++3m", "sde-dpm++2s", "dpm++2s-ancestral"],
  ...["dpm-solver-2-ancestral", "sa-solver", "dpm-solver-fast"],
];

/** Samplers whose steps are of t: how many they need depends on the SDE. */
const ofTime = ["euler-maruyama", "predictor-corrector", "exponential-sde", "ode-heun", "ode-rk4"];

/** A comparison of samplers, which has a table of its own. */
export interface ComparisonMeasurement extends Measurement {
  /** The heading of its table. */
  readonly title: string;
  /** Budgets of network evaluations, the columns of the table. */
  readonly budgets: readonly number[];
}

function comparison(
  name: string,
  title: string,
  budgets: readonly number[],
  samplers: readonly string[],
  ...flags: string[]
): ComparisonMeasurement {
  const command = [
    "compare",
    "--count",
    "2000",
    "--nfe",
    budgets.join(","),
    "--samplers",
    samplers.join(","),
  ];
  return { name, title, budgets, command: [...command, ...flags], output: "comparison", rows: () => [] };
}

/** The comparisons of samplers. */
export const comparisons: readonly ComparisonMeasurement[] = [
  comparison("compare", "At 5 to 100 evaluations", [5, 8, 10, 15, 20, 30, 50, 100], ofRatio),
  comparison("compare_guided", "Under guidance", [10, 16, 30], ofRatio, "--guidance", "2"),
  comparison("compare_ve", "Steps of t under VE", [50], ofTime),
  comparison("compare_vp", "Under VP", [50], ofTime, "--sde", "vp"),
  comparison("compare_flow", "Under the SDE of flow matching", [50], ofTime, "--sde", "flow"),
];
