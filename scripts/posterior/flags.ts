/**
 * The flags that `inpaint`, `colorize` and `restore` share, and the request that they stand for.
 * @module
 */
import type { PosteriorRequest } from "../../src/runs/posterior.ts";
import { type PosteriorMethod, posteriorMethods } from "../../src/runs/posterior_method.ts";
import {
  DEFAULT_DPS_SCALE,
  DEFAULT_ITERATIONS,
  DEFAULT_LAMBDA,
  DEFAULT_PARTICLES,
  DEFAULT_POSTERIOR_STEPS,
  DEFAULT_RESAMPLINGS,
  DEFAULT_SAMPLER,
  DEFAULT_TWISTED_STEPS,
} from "../../src/runs/defaults.ts";
import { type engineNames, networkFlags, readSampling, samplingFlags, seedFlag } from "../sampling/flags.ts";
import {
  choice,
  deciding,
  type FlagValues,
  integer,
  number,
  onlyWith,
  text,
  toggle,
  UsageError,
} from "../cli/flags.ts";
import {
  checkPullBack,
  type ExternalConfig,
  gradientFlags,
  readExternal,
  underSchedule,
} from "../sampling/external_flags.ts";
import { checkOutputName } from "./gallery.ts";
import { checkInputFlags, type InputChoice, inputFlags } from "./inputs.ts";

/** The name of a method. */
type Method = PosteriorMethod["name"];

/** The methods of posterior sampling. */
export const methodNames = Object.keys(posteriorMethods) as Method[];

/** Those that take any linear measurement with noise. */
export const noisyMethodNames = methodNames.filter((name) => !posteriorMethods[name].known);

/** The flags that the tasks have in common, with `output` for the name of the picture. */
export function posteriorFlags(
  { methods, method, output }: {
    readonly methods: readonly Method[];
    readonly method: Method;
    readonly output: string;
  },
) {
  return {
    ...inputFlags,
    count: integer({ help: "samples for each image", default: 5, min: 1, max: 10_000 }),
    method: choice<Method, Method>(methods, {
      help:
        "how samples are conditioned: by the posterior's score (pigdm, tmpd, or mmps, which takes more network evaluations), " +
        "by steps toward what was seen (dps; diffpir, without a gradient), by weighted particles (twisted)" +
        (methods.includes("replacement")
          ? ", or by replacing what is known at every noise level, once or again and again"
          : ""),
      default: method,
    }),
    label: choice(["none", "own", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], {
      help: "class of the samples: none, own for the class of each input, or a digit",
      placeholder: "none|own|0-9",
      default: "none",
    }),
    iterations: deciding(
      ["method.iterations"],
      onlyWith(
        integer({
          help:
            `iterations of the linear solver (default ${DEFAULT_ITERATIONS.mmps} of mmps, which evaluates the ` +
            `network in each, and ${DEFAULT_ITERATIONS.pigdm} of pigdm)`,
          min: 1,
          max: 1000,
        }),
        "method",
        ["mmps", "pigdm"],
      ),
    ),
    scale: deciding(
      ["method.scale"],
      onlyWith(
        number({
          help:
            `length of dps's step toward what was seen, after each of the sampler's (default ${DEFAULT_DPS_SCALE})`,
          min: 0.001,
          max: 1000,
        }),
        "method",
        ["dps"],
      ),
    ),
    lambda: deciding(
      ["method.lambda"],
      onlyWith(
        number({
          help: `λ of diffpir, the weight of denoised images against the noise (default ${DEFAULT_LAMBDA})`,
          min: 0.001,
          max: 1000,
        }),
        "method",
        ["diffpir"],
      ),
    ),
    particles: deciding(
      ["method.particles"],
      onlyWith(
        integer({
          help:
            `particles of twisted for each image, of which --count are shown (default ${DEFAULT_PARTICLES}); errors fall with their root`,
          min: 1,
          max: 4096,
        }),
        "method",
        ["twisted"],
      ),
    ),
    checkpoint: networkFlags.checkpoint,
    ...gradientFlags,
    ...samplingFlags,
    steps: deciding(
      ["grid.steps"],
      integer({
        help:
          `steps of the time grid (default ${DEFAULT_POSTERIOR_STEPS} of ${DEFAULT_SAMPLER}, the sampler's own of others)`,
        min: 1,
        max: 100_000,
      }),
    ),
    seed: seedFlag,
    engine: networkFlags.engine,
    batch: integer({ help: "samples drawn at once", default: 50, min: 1, max: 4096 }),
    output: text({
      help: ".png: the picture; .npy: float32 [images, samples, H, W, C] in [0, 1]",
      placeholder: "FILE",
      default: output,
    }),
    json: deciding([], toggle({ help: "print the result as JSON" })),
  };
}

/** The flags of tasks that can replace what is known. */
export const replacementFlags = {
  resamplings: deciding(
    ["method.resamplings"],
    onlyWith(
      integer({
        help: `how often repaint does each step (default ${DEFAULT_RESAMPLINGS})`,
        min: 1,
        max: 1000,
      }),
      "method",
      ["repaint"],
    ),
  ),
};

/** Values of {@linkcode posteriorFlags} and, where a task has them, of {@linkcode replacementFlags}. */
type PosteriorValues =
  & FlagValues<ReturnType<typeof posteriorFlags>>
  & Partial<FlagValues<typeof replacementFlags>>;

/** A run of a task, as plain data. */
export interface PosteriorTaskRequest extends PosteriorRequest {
  /** A file, the name of a network that comes with the project, or null for the task's own. */
  readonly checkpoint: string | null;
  /** How an ONNX file as checkpoint is to be understood; null for others. */
  readonly external: ExternalConfig | null;
  /** The images. */
  readonly input: InputChoice;
  /** Whether a picture of another size is brought to the model's. */
  readonly resize: boolean;
  /** The folder with MNIST's files; null where they are found unasked. */
  readonly data: string | null;
  /** What computes. */
  readonly engine: typeof engineNames[number];
  /** The picture or the array to write. */
  readonly output: string;
}

/**
 * The request of flags.
 * @param measured What is particular to the task.
 * @throws UsageError for flags that have no effect, or values that the sampler cannot have
 */
export async function readPosterior(
  flags: PosteriorValues,
  measured: Pick<PosteriorRequest, "measurement" | "noise">,
): Promise<PosteriorTaskRequest> {
  checkInputFlags(flags);
  // Twisted sampling has steps of its own, and those of no other sampler.
  const twisted = flags.method === "twisted" && flags.sampler === DEFAULT_SAMPLER;
  const unasked = twisted ? DEFAULT_TWISTED_STEPS : DEFAULT_POSTERIOR_STEPS;
  const steps = flags.steps ?? (flags.sampler === DEFAULT_SAMPLER ? unasked : undefined);
  const sampling = readSampling({ ...flags, steps, ...twisted && { sampler: "ancestral" } });
  checkPopulations(flags, sampling.sampler.name);
  checkOutputName(flags.output);
  const { label } = flags;
  const needed = posteriorMethods[flags.method].gradients;
  const others = "resamplings" in flags ? "--method replacement or repaint" : "";
  checkPullBack(flags, needed, `--method ${flags.method}`, others);
  const { external, scheduler } = await readExternal(flags);
  return {
    checkpoint: flags.checkpoint ?? null,
    external,
    input: flags.input,
    resize: flags.resize,
    data: flags.data ?? null,
    ...measured,
    ...underSchedule(sampling, scheduler, flags),
    method: readMethod(flags),
    label: label === "none" || label === "own" ? label : Number(label),
    count: flags.count,
    batch: flags.batch,
    seed: flags.seed,
    engine: flags.engine,
    output: flags.output,
  };
}

/** @throws UsageError for particles that a batch cannot hold, samples that there are no particles for, or another sampler */
function checkPopulations(
  { method, particles = DEFAULT_PARTICLES, count, batch }: PosteriorValues,
  sampler: string,
): void {
  if (method !== "twisted") return;
  if (sampler !== "ancestral") {
    throw new UsageError(`--method twisted draws by ancestral steps: leave out --sampler, got ${sampler}`);
  }
  if (count > particles) {
    throw new UsageError(`--count must be at most the ${particles} of --particles, got ${count}`);
  }
  if (batch < particles) {
    throw new UsageError(`--batch must be at least the ${particles} of --particles, got ${batch}`);
  }
}

function readMethod(
  { method: name, iterations, resamplings, scale, lambda, particles }: PosteriorValues,
): PosteriorMethod {
  switch (name) {
    case "replacement":
    case "tmpd":
      return { name };
    case "repaint":
      return { name, resamplings: resamplings ?? DEFAULT_RESAMPLINGS };
    case "dps":
      return { name, scale: scale ?? DEFAULT_DPS_SCALE };
    case "diffpir":
      return { name, lambda: lambda ?? DEFAULT_LAMBDA };
    case "twisted":
      return { name, particles: particles ?? DEFAULT_PARTICLES };
    default:
      return { name, iterations: iterations ?? DEFAULT_ITERATIONS[name] };
  }
}
