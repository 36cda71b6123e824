/**
 * How long a run of sampling takes, in how many shards, and how much memory and disk it needs, from short runs of it.
 * @module
 */

/** A run to plan, as plain data. */
export interface PlanRequest {
  /** Samples of the whole run. */
  readonly count: number;
  readonly batch: number;
  readonly engine: string;
  /** Further words of `deno task sample`: what is drawn, and how. */
  readonly sampling: readonly string[];
  /** The longest that a shard may take. */
  readonly hours: number;
  /** About how many seconds are spent on measuring. */
  readonly probeSeconds: number;
}

/** A short run: its batches, the seconds from its start to its end, and what it reported. */
export interface Trial {
  readonly batches: number;
  readonly seconds: number;
  readonly engine: string;
  /** The most bytes of memory that it held. */
  readonly peak: number;
  /** Bytes of a sample in the array. */
  readonly sampleBytes: number;
}

/** An estimate, and where it lies with probability 95% by what was measured. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** A plan. */
export interface Plan {
  readonly engine: string;
  /** Seconds of a batch, once a process has begun. */
  readonly batchSeconds: Estimate;
  /** Seconds until the first batch begins. */
  readonly startSeconds: number;
  /** Hours of the whole run on one machine. */
  readonly hours: Estimate;
  readonly shards: number;
  /** Hours of the longest shard, on a machine of its own. */
  readonly shardHours: Estimate;
  /** Bytes of memory to ask for, for each shard. */
  readonly memory: number;
  /** Bytes of the array. */
  readonly disk: number;
}

/** Runs whose spread is measured. */
const TRIALS = 4;

/** The 0.975 quantile of Student's t with three degrees of freedom. */
const T_QUANTILE = 3.1824463052842638;

/** What is asked for is the largest that was measured and half as much again, in steps of 256 MiB. */
const [MEMORY_MARGIN, MEMORY_STEP] = [1.5, 2 ** 28];

/** Measures short runs; `draw` draws so many batches and says what that took. */
export async function measureTrials(
  { probeSeconds }: Pick<PlanRequest, "probeSeconds">,
  draw: (batches: number) => Promise<Trial>,
): Promise<Trial[]> {
  const [one, few] = [await draw(1), await draw(4)];
  const batch = Math.max((few.seconds - one.seconds) / 3, 1e-3);
  const left = (probeSeconds - one.seconds - few.seconds) / TRIALS - one.seconds;
  const batches = Math.max(4, Math.min(10_000, 1 + Math.floor(left / batch)));
  const trials = [one];
  for (let i = 0; i < TRIALS; i++) trials.push(await draw(batches));
  return trials;
}

/**
 * The plan by trials, the first of which has one batch. A batch takes b = (t − t₁)/(n − 1) of a trial of n batches in t seconds;
 * the interval is Student's, of these b. What another machine, or other work on this one, changes is not in it.
 * @throws {Error} when a single batch takes longer than a shard may
 */
export function planOf({ count, batch, hours }: PlanRequest, [one, ...trials]: readonly Trial[]): Plan {
  const batchSeconds = estimateOf(
    trials.map(({ seconds, batches }) => (seconds - one.seconds) / (batches - 1)),
  );
  const startSeconds = Math.max(0, one.seconds - batchSeconds.mean);
  const batches = Math.ceil(count / batch);
  const hoursOf = (own: number, b: number) => (startSeconds + own * b) / 3600;
  const most = Math.floor((3600 * hours - startSeconds) / batchSeconds.high);
  if (most < 1) {
    throw new Error(
      `a batch of ${batch} and the start take up to ${
        (3600 * hoursOf(1, batchSeconds.high)).toFixed(0)
      } s: --hours ${hours} ` +
        "is too short",
    );
  }
  // Shards differ by a batch at most.
  const shards = Math.ceil(batches / most);
  const largest = Math.ceil(batches / shards);
  const peak = Math.max(one.peak, ...trials.map(({ peak }) => peak));
  return {
    engine: one.engine,
    batchSeconds,
    startSeconds,
    hours: mapped(batchSeconds, (b) => hoursOf(batches, b)),
    shards,
    shardHours: mapped(batchSeconds, (b) => hoursOf(largest, b)),
    memory: MEMORY_STEP * Math.ceil(MEMORY_MARGIN * peak / MEMORY_STEP),
    disk: count * one.sampleBytes,
  };
}

/** The mean with Student's interval of {@linkcode TRIALS} values; none is below zero. */
function estimateOf(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const half = T_QUANTILE * Math.sqrt(variance / values.length);
  return mapped({ mean, low: mean - half, high: mean + half }, (value) => Math.max(1e-9, value));
}

function mapped({ mean, low, high }: Estimate, change: (value: number) => number): Estimate {
  return { mean: change(mean), low: change(low), high: change(high) };
}
