/**
 * Where a diffusion begins, said by its noise instead of its time.
 * @module
 */
import { noiseRatio, type Sde, sdeFromConfig } from "./sde.ts";

/**
 * The same kind of SDE with noise ratio ν at tMin: likelihoods are of data with that much noise. VE gets another σmin, the
 * others another tMin.
 *
 * @throws {RangeError} if the noise ratio is not positive, or not below the one at tMax
 */
export function withSmallestNoise(sde: Sde, smallest: number): Sde {
  const largest = noiseRatio(sde, sde.tMax);
  if (!(smallest > 0 && smallest < largest)) {
    throw new RangeError(
      `the smallest noise ratio must be positive and below ${largest.toPrecision(3)}, got ${smallest}`,
    );
  }
  return sde.config.kind === "ve"
    ? sdeFromConfig({ ...sde.config, sigmaMin: smallest, tMin: 0 })
    : sdeFromConfig({ ...sde.config, tMin: sde.timeOfLogSnr(-Math.log(smallest)) });
}
