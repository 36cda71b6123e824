/** Bytes as pixels of a canvas. @module */
import { SIDE } from "../settings/pixels.ts";

/** Pixels between two pictures of a grid. */
const GAP = 2;

/** Shows pictures of 28 × 28 pixels, one or three bytes each, as a square grid. */
export function showGrid(canvas: HTMLCanvasElement, bytes: Uint8Array, channels: 1 | 3 = 1): void {
  const count = bytes.length / (SIDE * SIDE * channels);
  const columns = Math.ceil(Math.sqrt(count));
  const size = columns * SIDE + (columns - 1) * GAP;
  if (canvas.width !== size) [canvas.width, canvas.height] = [size, size];
  const context = canvas.getContext("2d")!;
  for (let i = 0; i < count; i++) {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    context.putImageData(picture(bytes, i, channels), column * (SIDE + GAP), row * (SIDE + GAP));
  }
}

/** One picture of many as pixels; its alpha is full. */
export function picture(bytes: Uint8Array, index: number, channels: 1 | 3): ImageData {
  const pixels = new ImageData(SIDE, SIDE);
  const start = index * SIDE * SIDE * channels;
  for (let at = 0; at < SIDE * SIDE; at++) {
    for (let c = 0; c < 3; c++) {
      pixels.data[4 * at + c] = bytes[start + at * channels + (channels === 3 ? c : 0)];
    }
    pixels.data[4 * at + 3] = 255;
  }
  return pixels;
}

/** Shows each picture on a canvas of its own; canvases are made where they are missing. */
export function showRow(row: HTMLElement, bytes: Uint8Array, channels: 1 | 3, names: string): void {
  const count = bytes.length / (SIDE * SIDE * channels);
  while (row.children.length > count) row.lastElementChild!.remove();
  while (row.children.length < count) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [SIDE, SIDE];
    canvas.role = "img";
    canvas.ariaLabel = `${names} ${row.children.length + 1} of ${count}`;
    row.append(canvas);
  }
  for (let i = 0; i < count; i++) {
    (row.children[i] as HTMLCanvasElement).getContext("2d")!.putImageData(picture(bytes, i, channels), 0, 0);
  }
}
