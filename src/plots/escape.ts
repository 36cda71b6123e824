/** Text in SVG. @module */

/**
 * Text that XML and HTML show as it is, between tags and in quoted attributes. What XML forbids (control characters, halves
 * of surrogate pairs) becomes U+FFFD.
 */
export function escape(text: string): string {
  return text.toWellFormed()
    .replace(/(?![\t\n\r])[\p{Cc}\ufffe\uffff]/gu, "\ufffd")
    .replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
