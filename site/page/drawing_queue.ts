/** Draws canvases one at a time, each in a frame of its own, so that no frame takes long. @module */

const waiting = new Map<object, () => void>();
let frame: number | null = null;

/** Draws in one of the next frames; of several drawings of the same canvas only the last is made. */
export function drawSoon(canvas: object, draw: () => void): void {
  waiting.set(canvas, draw);
  frame ??= requestAnimationFrame(drawNext);
}

function drawNext(): void {
  frame = null;
  const [next] = waiting;
  if (next === undefined) return;
  const [canvas, draw] = next;
  waiting.delete(canvas);
  draw();
  if (waiting.size > 0) frame = requestAnimationFrame(drawNext);
}
