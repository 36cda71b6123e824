/** The colours of canvases, which are those of the style sheet. @module */

/** Colours by their names in the style sheet, without the dashes. */
export type Theme = Readonly<
  Record<
    "text" | "quiet" | "line" | "raised" | "density" | "arrows" | "langevin" | "reverse" | "flow",
    string
  >
>;

const NAMES = [
  "text",
  "quiet",
  "line",
  "raised",
  "density",
  "arrows",
  "langevin",
  "reverse",
  "flow",
] as const;

/** The colours of now. */
export function theme(): Theme {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Theme;
}

/** Calls back when the page turns dark or light. */
export function onThemeChange(changed: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

/** Red, green and blue of a colour like #9db8cf. */
export function channelsOf(colour: string): [number, number, number] {
  const value = parseInt(colour.slice(1), 16);
  return [value >> 16 & 255, value >> 8 & 255, value & 255];
}
