/** Text in pictures, from letters that are kept as pixels, so that no font is loaded. @module */
import { ADVANCES, LETTER_ROWS, LETTERS, OFFSETS, PIXELS, WIDTHS } from "./letters.ts";
import type { Picture } from "./png.ts";
import { quoted } from "../input/quoted.ts";

/** Height of a line of text in pixels. */
export const LINE_HEIGHT = LETTER_ROWS;

/** A letter's pixels. */
interface Letter {
  /** Pixels to the next letter's origin. */
  readonly advance: number;
  /** The first column from the origin, and how many there are. */
  readonly offset: number;
  readonly width: number;
  /** [width, LINE_HEIGHT] from 0 to 3, column by column. */
  readonly ink: Uint8Array;
}

let alphabet: Map<string, Letter> | null = null;

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));

/** All letters, unpacked when the first is asked for. */
function letters(): Map<string, Letter> {
  if (alphabet !== null) return alphabet;
  const [advances, offsets, widths, packed] = [ADVANCES, OFFSETS, WIDTHS, PIXELS].map(bytesOf);
  let at = 0;
  alphabet = new Map(Array.from(LETTERS, (letter, i) => {
    const start = at;
    at += widths[i] * LETTER_ROWS;
    const ink = Uint8Array.from(
      { length: at - start },
      (_, pixel) => packed[(start + pixel) >> 2] >> (2 * ((start + pixel) & 3)) & 3,
    );
    return [letter, { advance: advances[i] / 16, offset: offsets[i] - 4, width: widths[i], ink }];
  }));
  return alphabet;
}

/**
 * The letters of a text.
 * @throws {RangeError} For a letter that pictures do not have.
 */
function lettersOf(text: string): Letter[] {
  return Array.from(text, (sign) => {
    const letter = letters().get(sign);
    if (letter !== undefined) return letter;
    throw new RangeError(`the font of pictures has no letter ${quoted(sign)}, got the name ${quoted(text)}`);
  });
}

/**
 * Width of a text in pixels, rounded up.
 * @throws {RangeError} For a letter that pictures do not have.
 */
export function textWidth(text: string): number {
  return Math.ceil(lettersOf(text).reduce((sum, { advance }) => sum + advance, 0));
}

/** The text, or as much of its beginning as a width holds with an ellipsis after it. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const signs = Array.from(text);
  while (signs.length > 0 && textWidth(`${signs.join("")}…`) > width) signs.pop();
  return `${signs.join("").trimEnd()}…`;
}

/** The words of a text in lines that a width holds; a word that is wider is cut. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines[lines.length - 1]} ${word}`;
    if (lines.length > 0 && textWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => fitText(line, width));
}

/** Writes white text into a picture, whose line begins at a place; what lies outside the picture is left out. */
export function drawText({ width, height, data }: Picture, text: string, left: number, top: number): void {
  let origin = left;
  for (const { advance, offset, width: columns, ink } of lettersOf(text)) {
    for (let column = 0; column < columns; column++) {
      const x = Math.round(origin) + offset + column;
      for (let y = Math.max(0, -top); y < LINE_HEIGHT && top + y < height && x >= 0 && x < width; y++) {
        const at = 4 * ((top + y) * width + x);
        const part = ink[column * LINE_HEIGHT + y] / 3;
        for (let c = at; c < at + 3; c++) data[c] = Math.round(data[c] + part * (255 - data[c]));
      }
    }
    origin += advance;
  }
}
