/** Whether a refusal says which field of an argument it is about. @module */

/** Words for a field that refusals have in the place of its name: what it holds, or what follows from it. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  betas: ["β"],
  covariance: ["variance"],
  frequencySeed: ["seed"],
  grid: ["steps"],
  kind: ["grid"],
  load: ["model"],
  max: ["an end of"],
  mean: ["features"],
  min: ["an end of"],
  minNoise: ["minimum noise"],
  model: ["preconditioning"],
  network: ["config", "kind"],
  noiseRatio: ["value per row"],
  optimizer: ["betas"],
  reference: ["weights"],
  shape: ["lengths", "height, width", "number of values"],
  squaredRadii: ["radius"],
  tMax: ["prior"],
  trace: ["rng"],
  weight: ["value per row"],
  y: ["observation", "axis"],
};

/** A sentence whose subject is missing, as it is where a check is given an empty name. */
const nameless = /^(\s|must\b|has\b|have\b|needs\b)| {2}| of must\b/;

/**
 * What a refusal's message lacks: a subject, or the name of the field that was wrong, of an object that holds it, or a word for
 * it; undefined where it lacks nothing.
 * @param path Names of fields with dots between, as in grid.steps; absent for a whole argument.
 */
export function lackingName(message: string, path?: string): string | undefined {
  if (nameless.test(message)) return "has no subject";
  if (path === undefined) return undefined;
  const names = path.split(".").flatMap((name) => [name, name.replace(/s$/, ""), ...otherWords[name] ?? []]);
  const lower = message.toLowerCase();
  return names.some((name) => lower.includes(name.toLowerCase())) ? undefined : `does not name ${path}`;
}
