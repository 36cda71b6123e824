/**
 * The methods by which samples are conditioned on a measurement, as plain data, and what each makes of a model and a sampler.
 * @module
 */
import { repaintSampler, replacementSampler, withExactKnownValues } from "../conditioning/imputation.ts";
import { diffpirModel } from "../conditioning/diffpir.ts";
import { dpsSampler } from "../conditioning/dps.ts";
import type { LinearObservation } from "../conditioning/observation.ts";
import { posteriorScore } from "../conditioning/posterior_score.ts";
import type { AnyScoreModel } from "../diffusion/noise_predictor.ts";
import { quoted } from "../input/quoted.ts";
import { requireBetween, requireOptions, requireWhole } from "../input/require.ts";
import { twistedSampler } from "../conditioning/twisted.ts";
import type { Sampler } from "../samplers/sampler.ts";
import type { MeasurementModel } from "./measurement.ts";

/** How samples are conditioned on a measurement. */
export type PosteriorMethod =
  /** What is known replaces what was drawn at every noise level. */
  | { readonly name: "replacement" }
  /** The same again and again: each step is done `resamplings` times, 1 to 1000. */
  | { readonly name: "repaint"; readonly resamplings: number }
  /** The posterior's score; its linear solver takes `iterations`, 1 to 1000, and mmps evaluates the network in each. */
  | { readonly name: "pigdm" | "mmps"; readonly iterations: number }
  /** The posterior's score by row sums of the predictor's covariance: two gradients and no solver. */
  | { readonly name: "tmpd" }
  /** A step of length `scale`, 0.001 to 1000, toward the measurement after each of the sampler's. */
  | { readonly name: "dps"; readonly scale: number }
  /** A proximal step of the denoised data, which weigh `lambda`, 0.001 to 1000, against the noise. It takes no gradient. */
  | { readonly name: "diffpir"; readonly lambda: number }
  /**
   * Sequential Monte Carlo with ancestral steps: an image's samples are of one population of `particles`, 1 to 4096, of
   * which there are no fewer than samples, and no more than are drawn at once.
   */
  | { readonly name: "twisted"; readonly particles: number };

/** What a method needs. */
interface MethodNeeds {
  /** Whether it needs values that are known exactly. */
  readonly known: boolean;
  /** Whether it takes gradients of the network. */
  readonly gradients: boolean;
}

/** The methods by their names. */
export const posteriorMethods: Readonly<Record<PosteriorMethod["name"], MethodNeeds>> = {
  replacement: { known: true, gradients: false },
  repaint: { known: true, gradients: false },
  pigdm: { known: false, gradients: true },
  mmps: { known: false, gradients: true },
  tmpd: { known: false, gradients: true },
  dps: { known: false, gradients: true },
  diffpir: { known: false, gradients: false },
  twisted: { known: false, gradients: true },
};

/** A method, and what of its request it may not fit. */
interface MethodRequest {
  readonly method: PosteriorMethod;
  readonly count: number;
  readonly batch: number;
  /** The sampler's name. */
  readonly sampler: string;
}

/** Throws for a method that there is not, numbers out of their range and methods that a measurement cannot have. */
export function checkMethod(
  { method, count, batch, sampler }: MethodRequest,
  { known, noiseStd }: MeasurementModel,
): void {
  requireOptions("method", method);
  if (!Object.hasOwn(posteriorMethods, method.name)) {
    const names = Object.keys(posteriorMethods);
    const list = `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;
    throw new RangeError(`a method's name must be ${list}, got ${quoted(method.name)}`);
  }
  switch (method.name) {
    case "mmps":
    case "pigdm":
      requireWhole("method.iterations", method.iterations, 1, 1000);
      break;
    case "repaint":
      requireWhole("method.resamplings", method.resamplings, 1, 1000);
      break;
    case "dps":
      requireBetween("method.scale", method.scale, 0.001, 1000);
      break;
    case "diffpir":
      requireBetween("method.lambda", method.lambda, 0.001, 1000);
      break;
    case "twisted":
      requireWhole("method.particles", method.particles, 1, 4096);
      requireWhole("count", count, 1, method.particles);
      if (batch < method.particles) {
        throw new RangeError(`batch must be at least the ${method.particles} particles, got ${batch}`);
      }
      if (sampler !== "ancestral") {
        throw new RangeError(
          `twisted draws by ancestral steps: the sampler must be ancestral, got ${quoted(sampler)}`,
        );
      }
  }
  if (posteriorMethods[method.name].known && (known === null || noiseStd > 0)) {
    throw new RangeError(`${method.name} needs values that are known exactly; use mmps or pigdm`);
  }
}

/** What a batch is conditioned on. */
interface Condition {
  readonly observation: LinearObservation;
  /** What is known; null where values are only seen through an operator. */
  readonly part: Parameters<typeof replacementSampler>[1] | null;
  readonly noiseStd: number;
  /** Standard deviation of the data. */
  readonly dataStd: number | undefined;
}

/** The model and the sampler that a method makes of the unconditional ones. */
export function conditioned(
  model: AnyScoreModel,
  sampler: Sampler,
  method: PosteriorMethod,
  { observation, part, noiseStd, dataStd }: Condition,
): { model: AnyScoreModel; sampler: Sampler } {
  const pasted = (sampler: Sampler) =>
    part !== null && noiseStd === 0 ? withExactKnownValues(sampler, part) : sampler;
  switch (method.name) {
    case "replacement":
      return { model, sampler: replacementSampler(sampler, part!) };
    case "repaint":
      return { model, sampler: repaintSampler(sampler, { ...part!, resamplings: method.resamplings }) };
    case "tmpd":
      return {
        model: posteriorScore(model, observation, { method: "tmpd", dataStd }),
        sampler: pasted(sampler),
      };
    case "diffpir":
      return {
        model: diffpirModel(model, observation, { lambda: method.lambda }),
        sampler: pasted(sampler),
      };
    case "twisted": {
      const { particles } = method;
      return { model, sampler: pasted(twistedSampler(observation, { particles, dataStd })) };
    }
    case "dps":
      return { model, sampler: pasted(dpsSampler(sampler, observation, { scale: method.scale })) };
    default: {
      const { name, iterations } = method;
      return {
        model: posteriorScore(model, observation, { method: name, iterations, dataStd }),
        sampler: pasted(sampler),
      };
    }
  }
}
