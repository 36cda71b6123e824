/** Finding and making elements. @module */

/** The element of a section with a role of the playground's own. */
export function part<T extends HTMLElement = HTMLElement>(section: ParentNode, role: string): T {
  return found(section, `[data-role="${role}"]`);
}

/**
 * The first element that a selector finds.
 * @throws {Error} where there is none: the page and its code do not fit
 */
export function found<T extends HTMLElement = HTMLElement>(section: ParentNode, selector: string): T {
  const element = section.querySelector<T>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
}

/** A new element with properties and children. */
export function made<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[Name] {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** Fills a list of choices: values and their words. */
export function fillSelect(
  select: HTMLSelectElement,
  choices: readonly (readonly [value: string, text: string])[],
): void {
  select.replaceChildren(...choices.map(([value, text]) => made("option", { value, textContent: text })));
}

/** Whether the reader asked for little motion. */
export function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
