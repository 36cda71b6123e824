/**
 * Writes src/images/letters.ts, the letters in pictures as pixels, from the font of plots:
 * `deno run --allow-read --allow-write --allow-env scripts/build/letters.ts && deno fmt src/images/letters.ts`.
 * @module
 */
import { fileURLToPath } from "node:url";
import { registerFont } from "npm:pureimage@0.4.20";
import { loadRasterizer, type Rasterizer } from "../../src/plots/rasterizer.ts";
import { atomicWrite } from "../cli/files.ts";

const file = fileURLToPath(new URL("../../src/images/letters.ts", import.meta.url));

/** Height of the letters' em square, rows of a letter's pixels, and the row of the baseline. */
const [SIZE, ROWS, BASELINE] = [13, 17, 13];

/** Pixels that are drawn to the left of a letter's origin, and to the right of its advance. */
const SIDE = 4;

const between = (first: number, last: number) =>
  String.fromCodePoint(...Array.from({ length: last - first + 1 }, (_, i) => first + i));

/** Letters that are written where the font has them: Latin, Greek, signs of mathematics. */
const wanted = between(0x20, 0x7e) + between(0xa1, 0xac) + between(0xae, 0xff) + between(0x391, 0x3a1) +
  between(0x3a3, 0x3a9) + between(0x3b1, 0x3c9) + "–—‘’“”…←↑→↓∂∇−√∞∫≈≠≤≥";

/** The part of the font that pureimage does not describe. */
interface OpenTypeFont {
  readonly unitsPerEm: number;
  charToGlyphIndex(letter: string): number;
  charToGlyph(letter: string): { readonly advanceWidth: number };
}

/** The tables of the module, by their names. */
export async function letterTables(): Promise<Readonly<Record<string, string>>> {
  const path = fileURLToPath(new URL("../../fixtures/fonts/plot_font.ttf", import.meta.url));
  const font = registerFont(path, "DejaVu Sans").loadSync().font as OpenTypeFont;
  const letters = Array.from(wanted).filter((letter) => font.charToGlyphIndex(letter) !== 0);
  const rasterize = await loadRasterizer();
  const [advances, offsets, widths, levels]: number[][] = [[], [], [], []];
  for (const letter of letters) {
    const advance = SIZE * font.charToGlyph(letter).advanceWidth / font.unitsPerEm;
    const { first, columns } = inkOf(letter, Math.ceil(advance), rasterize);
    advances.push(Math.round(16 * advance));
    offsets.push(first + SIDE);
    widths.push(columns.length);
    levels.push(...columns.flat());
  }
  const pixels = Array.from({ length: Math.ceil(levels.length / 4) }, (_, at) => {
    const [a, b = 0, c = 0, d = 0] = levels.slice(4 * at, 4 * at + 4);
    return a + 4 * b + 16 * c + 64 * d;
  });
  const base64 = (bytes: readonly number[]) => Uint8Array.from(bytes).toBase64();
  return {
    LETTERS: letters.join(""),
    ADVANCES: base64(advances),
    OFFSETS: base64(offsets),
    WIDTHS: base64(widths),
    PIXELS: base64(pixels),
  };
}

/** What the module says of each table. */
const comments = {
  LETTERS: "The letters, in the order of the other tables.",
  ADVANCES: "A byte a letter: sixteenths of a pixel to the next letter's origin.",
  OFFSETS: `A byte a letter: the first column of its pixels, plus ${SIDE}, from its origin.`,
  WIDTHS: "A byte a letter: columns of its pixels.",
  PIXELS:
    "Two bits a pixel, the lowest first, column by column from top to bottom: 0 for none to 3 for full ink.",
};

/** The module's text, but for its format. */
async function lettersModule(): Promise<string> {
  const tables = await letterTables();
  const lines = (text: string) =>
    (text.match(/.{1,100}/g) ?? []).map((line) => JSON.stringify(line)).join(" +\n");
  return [
    `/**\n * The letters in pictures as pixels: DejaVu Sans at ${SIZE} pixels to the em. Written by scripts/build/letters.ts.\n * @module\n */`,
    `/** Rows of each letter's pixels; the last ${
      ROWS - BASELINE
    } are below the baseline. */\nexport const LETTER_ROWS = ${ROWS};`,
    ...Object.entries(comments).map(([name, words]) =>
      `/** ${words} */\nexport const ${name} = ${lines(tables[name])};`
    ),
  ].join("\n\n");
}

/** The columns of a letter that have ink, of ${ROWS} levels from 0 to 3 each, and the first one's place from the origin. */
function inkOf(
  letter: string,
  advance: number,
  rasterize: Rasterizer,
): { first: number; columns: number[][] } {
  const width = advance + 2 * SIDE;
  const escaped = letter.replace(/[<>&]/, (sign) => `&#${sign.codePointAt(0)};`);
  const { data } = rasterize(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${ROWS}"><text x="${SIDE}" y="${BASELINE}" ` +
      `font-family="DejaVu Sans" font-size="${SIZE}" fill="white" xml:space="preserve">${escaped}</text></svg>`,
    { background: "black" },
  );
  const all = Array.from(
    { length: width },
    (_, x) => Array.from({ length: ROWS }, (_, y) => Math.round(data[4 * (y * width + x)] / 85)),
  );
  const inked = all.map((column) => column.some((level) => level > 0));
  if (!inked.includes(true)) return { first: 0, columns: [] };
  const [first, last] = [inked.indexOf(true), inked.lastIndexOf(true)];
  return { first: first - SIDE, columns: all.slice(first, last + 1) };
}

if (import.meta.main) await atomicWrite(file, new TextEncoder().encode(await lettersModule()));
