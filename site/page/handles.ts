/** Handles over the plane that one drags, or moves by the arrow keys. @module */
import { HALF_SIDE } from "../settings/modes.ts";
import { made } from "./elements.ts";

/** A handle's place and name. */
export interface HandlePlace {
  readonly x: number;
  readonly y: number;
  readonly name: string;
}

/** How far an arrow key moves a handle; with Shift, five times as far. */
const STEP = 0.1;

const KEYS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, STEP],
  ArrowDown: [0, -STEP],
};

/** The handles of a view. */
export class Handles {
  readonly #place: HTMLElement;
  readonly #moved: (index: number, x: number, y: number) => void;
  readonly #released: () => void;
  #handles: HTMLButtonElement[] = [];
  #places: readonly HandlePlace[] = [];

  /**
   * @param moved Called with each place that a handle is moved to.
   * @param released Called after it was moved.
   */
  constructor(
    place: HTMLElement,
    moved: (index: number, x: number, y: number) => void,
    released: () => void,
  ) {
    this.#place = place;
    this.#moved = moved;
    this.#released = released;
  }

  /** Shows handles at these places; one that has the focus keeps it. */
  show(places: readonly HandlePlace[]): void {
    this.#places = places;
    while (this.#handles.length > places.length) this.#handles.pop()!.remove();
    while (this.#handles.length < places.length) this.#handles.push(this.#make(this.#handles.length));
    for (const [i, { x, y, name }] of places.entries()) {
      const handle = this.#handles[i];
      handle.style.left = `${50 * (x / HALF_SIDE + 1)}%`;
      handle.style.top = `${50 * (1 - y / HALF_SIDE)}%`;
      handle.ariaLabel = `${name}, at ${x.toFixed(2)}, ${y.toFixed(2)}. Arrow keys move it.`;
    }
  }

  #make(index: number): HTMLButtonElement {
    const handle = made("button", { type: "button", className: "handle" });
    let dragging = false;
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      handle.setPointerCapture(event.pointerId);
      dragging = true;
    });
    handle.addEventListener("pointermove", ({ clientX, clientY }) => {
      if (!dragging) return;
      const { left, top, width, height } = this.#place.getBoundingClientRect();
      const x = HALF_SIDE * (2 * (clientX - left) / width - 1);
      this.#moved(index, x, HALF_SIDE * (1 - 2 * (clientY - top) / height));
    });
    const end = () => {
      if (dragging) this.#released();
      dragging = false;
    };
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
    handle.addEventListener("keydown", (event) => {
      const step = KEYS[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const times = event.shiftKey ? 5 : 1;
      const { x, y } = this.#places[index];
      this.#moved(index, x + times * step[0], y + times * step[1]);
      this.#released();
    });
    this.#place.append(handle);
    return handle;
  }
}
