/**
 * Where a diffusion begins, said by its noise instead of its time.
 * @module
 */
import { noiseRatio, type Sde } from "./sde.ts";
import { sdeFromConfig } from "./sde_registry.ts";
import { quoted } from "../input/quoted.ts";
import { requireSde } from "../input/require_parts.ts";

/**
 * The same kind of SDE with noise ratio ν at tMin: likelihoods are of data with that much noise. VE gets another σmin, the
 * others another tMin.
 *
 * @throws {RangeError} if the noise ratio is not positive or not below the one at tMax, or the SDE is a discrete chain
 */
export function withMinimumNoise(sde: Sde, smallest: number): Sde {
  requireSde("sde", sde);
  const largest = noiseRatio(sde, sde.tMax);
  if (!(Number.isFinite(smallest) && smallest > 0 && smallest < largest)) {
    throw new RangeError(
      `the smallest noise ratio must be positive and below ${largest.toPrecision(3)}, got ${
        quoted(smallest)
      }`,
    );
  }
  const { config } = sde;
  if (config.kind === "ddpm") {
    throw new RangeError(
      "a chain in discrete time begins with its first β: it has no other smallest noise ratio",
    );
  }
  return config.kind === "ve"
    ? sdeFromConfig({ ...config, sigmaMin: smallest, tMin: 0 })
    : sdeFromConfig({ ...config, tMin: sde.timeAtHalfLogSnr(-Math.log(smallest)) });
}
