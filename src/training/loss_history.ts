/**
 * Detects a run whose loss has diverged, so that its state does not replace a good checkpoint.
 *
 * The rule: a reported loss has blown up when it is not finite, or over ten times the largest of the hundred reports
 * before it that had not. The largest, not a mean: losses weighted for the likelihood have single reports far above
 * the others. After twenty such reports in a row the run has diverged; shorter spikes are tolerated.
 * @module
 */

/** A report above this multiple of the largest remembered one has blown up. */
const FACTOR = 10;

/** The number of remembered reports, which have not blown up. */
const REMEMBERED = 100;

/** The number of blown-up reports in a row after which a run has diverged. */
const PATIENCE = 20;

/** The reported losses of a run, in the order of steps. */
export class LossHistory {
  #sane: number[] = [];
  #blown = 0;

  /** Adds the next reported loss. */
  add(loss: number): void {
    if (Number.isFinite(loss) && !(loss > FACTOR * this.largest)) {
      this.#sane.push(loss);
      if (this.#sane.length > REMEMBERED) this.#sane.shift();
      this.#blown = 0;
    } else this.#blown++;
  }

  /** The largest of the last hundred reports that had not blown up; infinite before the first. */
  get largest(): number {
    return this.#sane.length === 0 ? Infinity : Math.max(...this.#sane);
  }

  /** Whether the last report has blown up. */
  get blownUp(): boolean {
    return this.#blown > 0;
  }

  /** Whether the last twenty reports have blown up. */
  get diverged(): boolean {
    return this.#blown >= PATIENCE;
  }
}
