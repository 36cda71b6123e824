/**
 * Whether a run's loss has blown up, so that its state must not replace a good checkpoint.
 *
 * The rule: a reported loss has blown up when it is not finite, or over ten times the largest of the hundred reports before
 * it that had not. The largest, not a mean: losses weighted for the likelihood have single reports far above the others.
 * After twenty such reports in a row the run has diverged. Spikes that end sooner do no harm.
 * @module
 */

/** A report over so many times the largest one remembered has blown up. */
const FACTOR = 10;

/** Reports that had not blown up and are remembered. */
const REMEMBERED = 100;

/** Reports in a row that must blow up before a run has diverged. */
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

  /** Whether the last twenty reports have. */
  get diverged(): boolean {
    return this.#blown >= PATIENCE;
  }
}
