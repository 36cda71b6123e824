/** What a job is given beside its request. @module */

/** How a job tells its steps, and hears that it is to stop. */
export interface JobContext<Step> {
  /** Sends a state to the page, and lets messages in. */
  step(value: Step): Promise<void>;
  /** Aborted when the page stops the job. */
  readonly signal: AbortSignal;
}
