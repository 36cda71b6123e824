/**
 * Rasterizes SVG plots by resvg (WebAssembly, no native parts), with a font from `fixtures/`.
 * @module
 */
import { initWasm, Resvg } from "npm:@resvg/resvg-wasm@2.6.2";
import { fetchBytes } from "../input/address.ts";
import { fetchShipped } from "../input/shipped_file.ts";
import { ShownPicture } from "../images/shown_picture.ts";
import { requireOptions, requireUrl } from "../input/require.ts";

/** Scale and background of the pixels. */
export interface RasterOptions {
  /** Screen pixels to an SVG pixel, positive; default 1. */
  readonly scale?: number;
  /** Background, any SVG colour; default "white". */
  readonly background?: string;
}

/** Draws SVG text, such as that of `plot` and `panels`, as a picture. Throws a RangeError for invalid SVG. */
export type Rasterizer = (svg: string, options?: RasterOptions) => ShownPicture;

/** Addresses of the rasterizer's files, for hosts that serve them elsewhere. */
export interface RasterizerParts {
  /** URL of resvg's index_bg.wasm; by default the one in the npm package. */
  readonly wasm?: string | URL;
  /** URL of a TrueType font; by default the one that comes with the project. */
  readonly font?: string | URL;
}

let started: Promise<void> | null = null;

/**
 * Fetches the WebAssembly module and the font, from files or over HTTP.
 *
 * @example A plot as a PNG file's bytes
 * ```ts
 * import { plot } from "./plot.ts";
 * import { encodePng } from "../images/png.ts";
 * import { loadRasterizer } from "./rasterizer.ts";
 * const rasterize = await loadRasterizer();
 * const picture = rasterize(plot([{ kind: "line", x: [0, 1], y: [0, 1] }]), { scale: 2 });
 * console.assert(picture.width === 960 && encodePng(picture)[0] === 0x89);
 * ```
 * @throws {Error} When a part cannot be fetched.
 */
export async function loadRasterizer(parts: RasterizerParts = {}): Promise<Rasterizer> {
  requireOptions("parts", parts);
  for (const name of ["wasm", "font"] as const) {
    if (parts[name] !== undefined) requireUrl(name, parts[name]);
  }
  const font = await (parts.font === undefined ? fetchShipped("plot_font.ttf") : fetchBytes(parts.font));
  started ??= fetchBytes(parts.wasm ?? import.meta.resolve("npm:@resvg/resvg-wasm@2.6.2/index_bg.wasm"))
    .then((wasm) => initWasm(wasm));
  try {
    await started;
  } catch (error) {
    started = null;
    throw error;
  }
  return (svg, { scale = 1, background = "white" } = {}) => {
    if (!(scale > 0 && Number.isFinite(scale))) {
      throw new RangeError(`scale must be a positive number, got ${scale}`);
    }
    try {
      const resvg = new Resvg(svg, {
        background,
        fitTo: { mode: "zoom", value: scale },
        font: { fontBuffers: [font], defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" },
      });
      const image = resvg.render();
      const { width, height } = image;
      const data = new Uint8Array(image.pixels);
      image.free();
      resvg.free();
      return new ShownPicture({ width, height, data });
    } catch (error) {
      throw new RangeError(`the SVG cannot be drawn: ${error instanceof Error ? error.message : error}`);
    }
  };
}
