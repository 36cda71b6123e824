/**
 * All settings of a panel in the part of the page's address after "#", so that a link shows what one saw.
 * @module
 */
import { type Field, quoted } from "./field.ts";
import { type PanelFields, type PanelName, panelNames } from "./panels.ts";

/** A panel's fields and values where it does not matter which. */
type AnyFields = Readonly<Record<string, Field<unknown>>>;

/** What an address says. */
export interface Address {
  /** The panel to show. */
  readonly panel: PanelName;
  /** The value of every setting of it. */
  readonly values: Readonly<Record<string, unknown>>;
  /** One sentence about what could not be read, in whose place the defaults are; null where all could. */
  readonly problem: string | null;
}

/** Longer addresses than this are not read. */
const LONGEST = 8000;

/** Reads an address such as "#draw?label=3&steps=10"; it never throws. */
export function readHash(hash: string, panels: PanelFields): Address {
  const { panel, query, problem } = parts(hash);
  const fields = panels[panel] as unknown as AnyFields;
  const values: Record<string, unknown> = defaults(fields);
  const problems = problem === null ? [] : [problem];
  const seen = new Set<string>();
  for (const [name, text] of new URLSearchParams(query)) {
    if (!Object.hasOwn(fields, name)) {
      problems.push(`the settings of ${panel} are ${Object.keys(fields).join(", ")}, got ${quoted(name)}`);
    } else if (seen.has(name)) {
      problems.push(`${name} must be given once`);
    } else {
      try {
        values[name] = fields[name].read(text);
      } catch (error) {
        problems.push(`${name} ${(error as Error).message}`);
      }
    }
    seen.add(name);
  }
  return { panel, values, problem: problems.length === 0 ? null : sentence(problems) };
}

/** Writes the address of a panel with these values, without those that are the defaults. */
export function writeHash(
  panel: PanelName,
  values: Readonly<Record<string, unknown>>,
  panels: PanelFields,
): string {
  const query = new URLSearchParams();
  for (const [name, field] of Object.entries(panels[panel] as unknown as AnyFields)) {
    const text = field.write(values[name]);
    if (text !== field.write(field.default)) query.set(name, text);
  }
  const written = query.toString();
  return written === "" ? `#${panel}` : `#${panel}?${written}`;
}

function parts(hash: string): { panel: PanelName; query: string; problem: string | null } {
  const text = hash.replace(/^#/, "");
  if (text === "") return { panel: "draw", query: "", problem: null };
  const [name, ...rest] = text.split("?");
  const panel = panelNames.find((known) => known === name);
  if (panel === undefined) {
    return {
      panel: "draw",
      query: "",
      problem: `the panels are ${panelNames.join(", ")}, got ${quoted(name)}`,
    };
  }
  if (text.length > LONGEST) {
    return { panel, query: "", problem: `an address has at most ${LONGEST} characters, got ${text.length}` };
  }
  return { panel, query: rest.join("?"), problem: null };
}

function defaults(fields: AnyFields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default]));
}

function sentence([first, ...others]: readonly string[]): string {
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return `The address could not be read: ${first}${more}. The default is used in its place.`;
}
