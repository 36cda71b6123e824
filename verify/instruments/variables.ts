/** Environment variables that last as long as what needs them. @module */

/** Runs with environment variables, those that are undefined not set, and puts the former ones back. */
export async function withVariables<T>(
  variables: Readonly<Record<string, string | undefined>>,
  action: () => T | Promise<T>,
): Promise<T> {
  const set = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  };
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, Deno.env.get(name)]));
  set(variables);
  try {
    return await action();
  } finally {
    set(before);
  }
}
