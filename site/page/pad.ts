/** A board of 28 × 28 pixels that one draws on, with a finger, the mouse or the keyboard. @module */
import { SIDE } from "../settings/pixels.ts";
import { made } from "./elements.ts";

/** A place on the board, in pixels. */
interface Place {
  readonly x: number;
  readonly y: number;
}

/** What a board does with strokes. */
export interface PadOptions {
  /** What the board is, for those who hear the page. */
  readonly name: string;
  /** Changes the picture around a place. */
  paint(place: Place): void;
  /** Called after a stroke. */
  ended(): void;
}

const KEYS: Readonly<Record<string, Place>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** A board. With the keyboard, arrow keys move a cursor, and space puts the finger down or takes it up. */
export class Pad {
  readonly #canvas = made("canvas", { width: SIDE, height: SIDE });
  readonly #cursor = made("span", { className: "cursor" });
  readonly #board: HTMLElement;
  readonly #options: PadOptions;
  #place: Place = { x: SIDE / 2, y: SIDE / 2 };
  #last: Place | null = null;
  #down = false;

  constructor(place: HTMLElement, options: PadOptions) {
    this.#options = options;
    this.#board = place;
    place.classList.add("pad");
    place.tabIndex = 0;
    place.role = "application";
    place.ariaLabel = `${options.name}. Arrow keys move, space puts the pen down and takes it up.`;
    place.append(this.#canvas, this.#cursor);
    place.addEventListener("pointerdown", (event) => this.#begin(event));
    place.addEventListener("pointermove", (event) => this.#move(event));
    place.addEventListener("pointerup", () => this.#end());
    place.addEventListener("pointercancel", () => this.#end());
    place.addEventListener("keydown", (event) => this.#key(event));
    place.addEventListener("blur", () => this.#lift());
    this.#showCursor();
  }

  /** Shows pixels. */
  show(pixels: ImageData): void {
    this.#canvas.getContext("2d")!.putImageData(pixels, 0, 0);
  }

  #begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    this.#board.focus({ preventScroll: true });
    this.#board.setPointerCapture(event.pointerId);
    this.#last = this.#at(event);
    this.#options.paint(this.#last);
  }

  #move(event: PointerEvent): void {
    if (this.#last === null) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length === 0 ? [event] : events) this.#strokeTo(this.#at(each));
  }

  #strokeTo(place: Place): void {
    const from = this.#last!;
    const [dx, dy] = [place.x - from.x, place.y - from.y];
    const parts = Math.max(1, Math.ceil(2 * Math.hypot(dx, dy)));
    for (let i = 1; i <= parts; i++) {
      this.#options.paint({ x: from.x + dx * i / parts, y: from.y + dy * i / parts });
    }
    this.#last = place;
  }

  #end(): void {
    if (this.#last === null) return;
    this.#last = null;
    this.#options.ended();
  }

  #at({ clientX, clientY }: PointerEvent): Place {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: (clientX - left) / width * SIDE, y: (clientY - top) / height * SIDE };
  }

  #key(event: KeyboardEvent): void {
    const step = KEYS[event.key];
    if (step !== undefined) {
      const kept = (value: number) => Math.min(SIDE - 0.5, Math.max(0.5, value));
      this.#place = { x: kept(this.#place.x + step.x), y: kept(this.#place.y + step.y) };
      if (this.#down) this.#options.paint(this.#place);
    } else if (event.key === " ") {
      if (this.#down) this.#lift();
      else {
        this.#down = true;
        this.#options.paint(this.#place);
      }
    } else return;
    event.preventDefault();
    this.#showCursor();
  }

  #lift(): void {
    if (!this.#down) return;
    this.#down = false;
    this.#showCursor();
    this.#options.ended();
  }

  #showCursor(): void {
    this.#cursor.style.left = `${100 * this.#place.x / SIDE}%`;
    this.#cursor.style.top = `${100 * this.#place.y / SIDE}%`;
    this.#cursor.classList.toggle("down", this.#down);
  }
}

/** Calls back with each pixel whose centre is nearer than `radius` to a place, and its distance. */
export function around({ x, y }: Place, radius: number, paint: (at: number, distance: number) => void): void {
  for (let row = Math.max(0, Math.floor(y - radius)); row < Math.min(SIDE, y + radius); row++) {
    for (let column = Math.max(0, Math.floor(x - radius)); column < Math.min(SIDE, x + radius); column++) {
      const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
      if (distance < radius) paint(row * SIDE + column, distance);
    }
  }
}
