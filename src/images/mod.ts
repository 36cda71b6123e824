/**
 * Files of pictures and of arrays as bytes: PNG, JPEG, GIF and npy; many images side by side as one picture.
 *
 * @example Four grey images as a PNG file's bytes
 * ```ts
 * import { decodePng, encodePng, imageGrid } from "./mod.ts";
 * const images = new Float32Array(4 * 28 * 28).fill(0.5);
 * const bytes = encodePng(imageGrid(images, [4, 28, 28, 1], { columns: 2, scale: 1, gap: 0 }));
 * console.assert((await decodePng(bytes)).width === 56);
 * ```
 * @module
 */

// Pictures.
export { decodePng, encodePng, type Picture } from "./png.ts";
export { type PictureNames, ShownPicture } from "./shown_picture.ts";
export { type GridLayout, imageGrid } from "./grid.ts";
export { encodeGif, type GifOptions } from "./gif.ts";
export { decodeJpeg } from "./jpeg.ts";
export { decodePicture } from "./picture_file.ts";

// Arrays.
export { type NpyArray, type NpyNumbers, readNpy, readNpyNumbers, writeNpy } from "./npy.ts";
