/** Every field of a request, given another value. @module */
import type { Check } from "../suite/claim.ts";

/** Plain data, which JSON keeps whole. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** The leaves of plain data by their paths with dots. */
export function leaves(value: Plain, path = ""): Map<string, Plain> {
  if (typeof value !== "object" || value === null) return new Map([[path, value]]);
  return new Map(
    Object.entries(value).flatMap(([key, part]) => [...leaves(part, path === "" ? key : `${path}.${key}`)]),
  );
}

/** Another value of a field, and why it leaves the result as it was, where it does. */
export interface FieldRow {
  readonly value: Plain;
  readonly same?: string;
}

/** Plain data with another leaf. */
function withLeaf(data: Plain, path: readonly string[], value: Plain): Plain {
  if (path.length === 0) return value;
  const [key, ...rest] = path;
  if (Array.isArray(data)) {
    return data.map((part, i) => String(i) === key ? withLeaf(part, rest, value) : part);
  }
  const parts = data as { readonly [key: string]: Plain };
  return { ...parts, [key]: withLeaf(parts[key], rest, value) };
}

/** The largest difference of two runs' numbers; a large one where there are more of them in one. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return 1e9;
  return Array.from(a).reduce((most, value, at) => Math.max(most, Math.abs(value - b[at])), 0);
}

/**
 * Checks that there is a row for every field of a request and that a run's numbers change with each, or, where the row says
 * why not, stay the same to rounding.
 */
export async function checkEveryField<Request>(
  check: Check,
  request: Request,
  rows: Readonly<Record<string, FieldRow>>,
  run: (request: Request) => Promise<ArrayLike<number>>,
): Promise<void> {
  const plain = JSON.parse(JSON.stringify(request)) as Plain;
  check.equal("fields with a row", Object.keys(rows).sort(), [...leaves(plain).keys()].sort(), "the request");
  const before = await run(request);
  for (const [path, { value, same }] of Object.entries(rows)) {
    const after = await run(withLeaf(plain, path.split("."), value) as Request);
    const apart = largestDifference(before, after);
    const what = `${path} ${JSON.stringify(value)}: largest change`;
    if (same === undefined) check.atLeast(what, apart, 1e-4, "every field has its effect");
    else check.atMost(what, apart, 1e-4, same);
  }
}
