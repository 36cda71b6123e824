/**
 * Verdicts by subject: a folder of verify/claims, which has the name of what its claims are about.
 * @module
 */

/** The verdicts on one subject. */
export interface VerdictsOn<V> {
  /** The folder. */
  readonly key: string;
  /** The folder's name as a heading. */
  readonly title: string;
  /** Verdicts by area and name. */
  readonly verdicts: readonly V[];
}

/** One group for each folder that verdicts are of, in alphabetical order. */
export function subjectsOf<V extends { readonly area: string; readonly name: string }>(
  verdicts: readonly V[],
): VerdictsOn<V>[] {
  return [...new Set(verdicts.map(({ area }) => subjectOf(area)))]
    .sort()
    .map((key) => ({
      key,
      title: titleOf(key),
      verdicts: verdicts.filter(({ area }) => subjectOf(area) === key)
        .sort((a, b) => a.area.localeCompare(b.area) || a.name.localeCompare(b.name)),
    }));
}

/** The folder that an area lies in. */
function subjectOf(area: string): string {
  return area.split("/")[0];
}

/** A path of an area or its folder as a heading: "samplers/final_step" is "Samplers: final step". */
export function titleOf(path: string): string {
  const words = path.replace("/", ": ").replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}
