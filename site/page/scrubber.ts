/** The slider that goes back and forth through the states of a run, with its play button. @module */
import { made, prefersStillness } from "./elements.ts";

/** How long all states are played, at most, and one of them. */
const [WHOLE_MILLISECONDS, LONGEST_MILLISECONDS] = [4000, 300];

/** Shows one of the states that a run has had so far. */
export class Scrubber {
  readonly #button = made("button", { type: "button", textContent: "Play", disabled: true });
  readonly #slider = made("input", {
    type: "range",
    min: "0",
    max: "0",
    value: "0",
    ariaLabel: "Step",
    disabled: true,
  });
  readonly #output = made("output");
  readonly #show: (index: number) => string;
  #following = true;
  #count = 0;
  #playing: number | null = null;
  #frame: number | null = null;

  /** @param show Shows a state, and returns the words for it. */
  constructor(place: HTMLElement, show: (index: number) => string) {
    this.#show = show;
    place.append(this.#button, this.#slider, this.#output);
    this.#slider.addEventListener("input", () => {
      this.#pause();
      this.#following = Number(this.#slider.value) === this.#count - 1;
      this.#display();
    });
    this.#button.addEventListener("click", () => this.#playing === null ? this.#play() : this.#pause());
  }

  /** Forgets the states of the last run. */
  reset(): void {
    this.#pause();
    this.#count = 0;
    this.#following = true;
    this.#slider.max = this.#slider.value = "0";
    this.#slider.disabled = this.#button.disabled = true;
    this.#output.textContent = "";
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  /** Tells of one more state; it is shown unless one has gone back, or motion is unwanted and it is not the last. */
  add(last: boolean): void {
    this.#count++;
    this.#slider.max = String(this.#count - 1);
    this.#slider.disabled = this.#button.disabled = this.#count < 2;
    if (!this.#following || (prefersStillness() && !last)) return;
    this.#slider.value = this.#slider.max;
    // Steps may come faster than the screen shows them.
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.refresh();
    });
  }

  /** Shows the present state again. */
  refresh(): void {
    if (this.#count > 0) this.#display();
  }

  #display(): void {
    const words = this.#show(Number(this.#slider.value));
    this.#output.textContent = words;
    this.#slider.setAttribute("aria-valuetext", words);
  }

  #play(): void {
    if (Number(this.#slider.value) >= this.#count - 1) this.#slider.value = "0";
    this.#following = false;
    this.#button.textContent = "Pause";
    const each = Math.min(LONGEST_MILLISECONDS, WHOLE_MILLISECONDS / this.#count);
    const [began, first] = [performance.now(), Number(this.#slider.value)];
    const frame = (now: number) => {
      const index = Math.min(this.#count - 1, first + Math.floor(Math.max(0, now - began) / each));
      this.#slider.value = String(index);
      this.#display();
      if (index < this.#count - 1) this.#playing = requestAnimationFrame(frame);
      else this.#pause();
    };
    this.#playing = requestAnimationFrame(frame);
  }

  #pause(): void {
    if (this.#playing !== null) cancelAnimationFrame(this.#playing);
    this.#playing = null;
    this.#button.textContent = "Play";
    if (Number(this.#slider.value) === this.#count - 1) this.#following = true;
  }
}
