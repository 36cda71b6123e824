/**
 * The flag --shard of tasks whose work is divided among processes or machines.
 * @module
 */
import type { Shard } from "../../src/runs/batches.ts";
import { type Flag, UsageError } from "./flags.ts";

/** A flag such as 2/8, the second of eight parts; undefined where it is not given. */
export function shardFlag(help: string): Flag<Shard | undefined> {
  return {
    help,
    placeholder: "I/N",
    domain: { kind: "own", examples: ["1/2", "2/2"] },
    fallback: undefined,
    parse(text, flag) {
      const [, index, shards] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
      if (!(index >= 1 && index <= shards && Number.isSafeInteger(shards))) {
        throw new UsageError(`${flag} must be I/N with I from 1 to N, such as 2/8, got "${text}"`);
      }
      return { index, shards };
    },
  };
}
