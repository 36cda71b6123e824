/** Other values of the fields that say how samples are drawn, for claims that every field of a request has an effect. @module */

/** By the field's path: its other value, for requests whose SDE is vp. */
export const otherSampling = {
  "sde.kind": { value: "subvp" },
  "sde.betaMin": { value: 0.3 },
  "sde.betaMax": { value: 12 },
  "sde.tMin": { value: 0.05 },
  "sde.tMax": { value: 0.8 },
  "sampler.name": { value: "ode-euler" },
  "grid.kind": { value: "karras" },
} as const;
