/** Text in SVG. @module */

/**
 * Text that XML and HTML show as it is, between tags and in quoted attributes. What XML forbids (control characters, halves
 * of surrogate pairs) becomes U+FFFD.
 */
export function escape(text: string): string {
  return text.toWellFormed()
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
