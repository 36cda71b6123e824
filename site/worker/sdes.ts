/** The SDEs of the playground: those of their papers, and VE between the noise ratios that the networks were trained on. @module */
import { type Sde, sdeByName, type SdeName, sdeNames, veSde } from "../../mod.ts";

/** VE from the least noise of training to the most. */
export function trainedVe(): Sde {
  return veSde({ sigmaMin: 0.005, sigmaMax: 40 });
}

/**
 * The SDE with a name.
 * @throws {RangeError} for a name that no SDE has
 */
export function namedSde(name: string): Sde {
  if (name === "ve") return trainedVe();
  const known = sdeNames.find((other) => other === name);
  if (known === undefined) throw new RangeError(`the SDEs are ${sdeNames.join(", ")}, got ${name}`);
  return sdeByName(known as SdeName);
}
