/** The square of the plane on a canvas: a density, its field of arrows and particles. @module */
import type { Field } from "../protocol.ts";
import { HALF_SIDE } from "../settings/modes.ts";
import { ARROWS, CELLS } from "../settings/plane_grid.ts";
import { drawSoon } from "./drawing_queue.ts";
import { made } from "./elements.ts";
import { sharpContext } from "./sharp_canvas.ts";
import { channelsOf, type Theme } from "./theme.ts";

/** A view of the square. */
export class PlaneView {
  readonly #canvas = made("canvas");
  readonly #shades = made("canvas", { width: CELLS, height: CELLS });

  /** @param name What it shows, for those who hear the page. */
  constructor(place: HTMLElement, name: string) {
    this.#canvas.role = "img";
    this.#canvas.ariaLabel = name;
    place.prepend(this.#canvas);
  }

  /** Shows a field, and particles [N, 2] in a colour, in one of the next frames. */
  show(field: Field, particles: Float32Array, colour: string, theme: Theme): void {
    drawSoon(this.#canvas, () => this.#draw(field, particles, colour, theme));
  }

  #draw({ density, arrows }: Field, particles: Float32Array, colour: string, theme: Theme): void {
    const sharp = sharpContext(this.#canvas);
    if (sharp === null) return;
    const { context, width } = sharp;
    this.#shade(density, theme.density);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.#shades, 0, 0, width, width);
    drawArrows(context, arrows, width, theme.arrows);
    drawParticles(context, particles, width, colour);
  }

  /** The density as pixels whose alpha is the share of the largest; the lowest row is the last. */
  #shade(density: Uint8Array, colour: string): void {
    const [red, green, blue] = channelsOf(colour);
    const pixels = new ImageData(CELLS, CELLS);
    for (let row = 0; row < CELLS; row++) {
      for (let column = 0; column < CELLS; column++) {
        const at = 4 * ((CELLS - 1 - row) * CELLS + column);
        pixels.data.set([red, green, blue, density[row * CELLS + column]], at);
      }
    }
    this.#shades.getContext("2d")!.putImageData(pixels, 0, 0);
  }
}

/** Arrows from the cells' centres; of long ones only the direction shows. */
function drawArrows(
  context: CanvasRenderingContext2D,
  arrows: Float32Array,
  width: number,
  colour: string,
): void {
  const cell = width / ARROWS;
  let typical = 0;
  for (let i = 0; i < arrows.length; i += 2) typical += Math.hypot(arrows[i], arrows[i + 1]);
  typical /= arrows.length / 2;
  context.beginPath();
  for (let i = 0; i < arrows.length / 2; i++) {
    const [x, y] = [(i % ARROWS + 0.5) * cell, width - (Math.floor(i / ARROWS) + 0.5) * cell];
    const scale = 0.8 * cell / (Math.hypot(arrows[2 * i], arrows[2 * i + 1]) + typical);
    const [dx, dy] = [scale * arrows[2 * i], -scale * arrows[2 * i + 1]];
    const [tipX, tipY] = [x + dx / 2, y + dy / 2];
    context.moveTo(x - dx / 2, y - dy / 2);
    context.lineTo(tipX, tipY);
    context.moveTo(tipX - 0.3 * dx - 0.18 * dy, tipY - 0.3 * dy + 0.18 * dx);
    context.lineTo(tipX, tipY);
    context.lineTo(tipX - 0.3 * dx + 0.18 * dy, tipY - 0.3 * dy - 0.18 * dx);
  }
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.stroke();
}

function drawParticles(
  context: CanvasRenderingContext2D,
  particles: Float32Array,
  width: number,
  colour: string,
): void {
  context.fillStyle = colour;
  const size = Math.max(2, width / 110);
  const place = (value: number) => width * (value / HALF_SIDE + 1) / 2 - size / 2;
  for (let i = 0; i < particles.length; i += 2) {
    context.fillRect(place(particles[i]), place(-particles[i + 1]), size, size);
  }
}
