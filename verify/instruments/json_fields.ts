/** Changes of plain JSON, one field at a time, and what a reader says of them. @module */

/** An object of plain JSON. */
export type Json = Record<string, unknown>;

/** All fields of an object, also of the objects in it: their paths. */
export function pathsOf(value: Json, start: string[] = []): string[][] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = [...start, name];
    const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
    return [path, ...isObject ? pathsOf(inner as Json, path) : []];
  });
}

/** A copy with one field changed; `undefined` takes it out. */
export function changed(value: Json, [name, ...rest]: readonly string[], other: unknown): Json {
  const { [name]: own, ...others } = value;
  if (rest.length > 0) return { ...value, [name]: changed(own as Json, rest, other) };
  return other === undefined ? others : { ...value, [name]: other };
}

/** The value at a path. */
export const valueAt = (value: Json, path: readonly string[]) =>
  path.reduce<unknown>((inner, name) => (inner as Json)[name], value);

/** The message of what an action throws. */
export const errorOf = (action: () => unknown): string => {
  try {
    action();
    return "no error";
  } catch (error) {
    return (error as Error).message;
  }
};
