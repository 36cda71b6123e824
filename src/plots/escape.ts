/** Escapes text for SVG. @module */

/**
 * Escapes text for XML and HTML, between tags and in quoted attributes. Characters that XML forbids (control
 * characters, halves of surrogate pairs) become U+FFFD.
 */
export function escape(text: string): string {
  return text.toWellFormed()
    .replace(/(?![\t\n\r])[\p{Cc}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
