/** Other values of flags, by what flags say of themselves. @module */
import { type Flag, flagName } from "../../scripts/cli/flags.ts";

/** A value of a flag's domain other than its default, as it is written; null for a switch, which takes none. */
export function otherValue({ domain, fallback }: Flag<unknown>): string | null {
  switch (domain.kind) {
    case "toggle":
      return null;
    case "text":
      return "other";
    case "choice":
      return domain.choices.find((choice) => choice !== fallback)!;
    case "own":
      return domain.examples[0];
    case "list":
      return otherValue({ domain: domain.of, fallback } as Flag<unknown>);
    case "integer": {
      const value = typeof fallback === "number" ? fallback + 1 : Math.max(domain.min, 1) + 2;
      return String(value <= domain.max ? value : domain.min);
    }
    default: {
      const value = typeof fallback === "number" ? fallback / 2 + 0.125 : Math.max(domain.min, 0) + 0.25;
      return String(value <= domain.max ? value : domain.min);
    }
  }
}

/** How a flag is given. */
export function given(key: string, flag: Flag<unknown>, value: string | null): string[] {
  if (value !== null) return [flagName(key), value];
  return [flag.fallback === true ? flagName(key).replace("--", "--no-") : flagName(key)];
}
