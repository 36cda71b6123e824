/** Claims about readers of files: damaged ones are read right or refused in one sentence of ours, soon and in little memory. @module */
import process from "node:process";
import { claim } from "../../suite/claim.ts";
import { Draws, mutatedBytes } from "../../instruments/mutations.ts";
import { readers } from "../../problems/readers.ts";

/** Words that are a runtime's or a library's and not this project's. */
const INNER = new RegExp(
  [
    "Cannot (read|convert|mix|set|destructure|access)",
    "undefined",
    "is not (a function|iterable|defined)",
    "Maximum call stack",
    "Unexpected (token|end|non)",
    "JSON at",
    "Expected .* in JSON",
    "Invalid (typed|array|count|string|DataView)",
    "allocation",
    "out of (memory|bounds)",
    "unwrap",
    "unreachable",
    "panicked",
    "outside the bounds",
    "BigInt",
    "object Object",
    "Corrupt JPEG",
    "Premature end",
    "Bogus",
    "stream",
    "encoded data",
    "SOI",
    "DHT",
    "IDAT",
    "ZLIB",
  ].join("|"),
  "i",
);

/** What is wrong with an error as an answer to whoever gave the file; null for nothing. */
function fault(error: unknown): string | null {
  if (!(error instanceof Error)) return "no Error";
  const { message } = error;
  if (![Error, TypeError, RangeError].includes(error.constructor as ErrorConstructor)) {
    return error.constructor.name;
  }
  // What a message quotes is the file's own.
  if (INNER.test(message.replace(/"(?:[^"\\]|\\.)*"/g, ""))) return "inner words";
  if (/[\p{Cc}\u202a-\u202e]/u.test(message)) return "control characters, or lines";
  if (message.length > 600) return "a message of over 600 characters";
  return message.length < 8 ? "no sentence" : null;
}

for (const { name, seeds, read, deep } of readers) {
  claim(`a damaged file is read correctly or refused in one sentence: ${name}`, async (check) => {
    const sound = await seeds();
    for (const [i, bytes] of sound.entries()) {
      check.holds(`sound file ${i + 1}`, await read(bytes), "mutations begin from files that are read");
    }
    const draws = new Draws(check.seed);
    const cases = check.thorough ? 20_000 : 400;
    const wrong = new Map<string, string>();
    const refusals = new Set<string>();
    let [accepted, slowest, largest] = [0, 0, 0];
    let worst = "";
    for (let i = 0; i < cases; i++) {
      const seed = draws.of(sound);
      let bytes = deep !== undefined && i % 2 === 0
        ? deep(seed, draws)
        : mutatedBytes(seed, draws.of(sound), draws);
      if (draws.below(8) === 0) bytes = mutatedBytes(bytes, seed, draws);
      const [started, memory] = [process.cpuUsage(), Deno.memoryUsage().rss];
      try {
        if (await read(bytes)) accepted++;
        else wrong.set("accepted, but wrong", `case ${i}`);
      } catch (error) {
        const kind = fault(error);
        const message = error instanceof Error ? error.message : String(error);
        refusals.add(message.replace(/\d+/g, "0"));
        if (kind !== null) wrong.set(kind, `case ${i}: ${message}`);
      }
      // Of the processor: a machine that does other things as well takes longer.
      const { user, system } = process.cpuUsage(started);
      const seconds = (user + system) / 1e6;
      if (seconds > slowest) [slowest, worst] = [seconds, `case ${i}, ${bytes.length} bytes`];
      largest = Math.max(largest, Deno.memoryUsage().rss - memory);
    }
    check.equal("answers that are wrong", [...wrong].join("; "), "", "a right value or one sentence of ours");
    check.atMost("seconds of the slowest", slowest, 2, "every file of up to 10 MB is answered in under 2 s");
    check.atMost("bytes that memory grew in one case", largest, 5e8, "in under 500 MB");
    check.table(
      `${name}: ${cases} damaged files`,
      ["accepted", "refused", "sentences", "slowest", "largest"],
      [[
        String(accepted),
        String(cases - accepted),
        String(refusals.size),
        `${Math.round(1000 * slowest)} ms (${worst})`,
        `${Math.round(largest / 1e6)} MB`,
      ]],
    );
    check.holds(
      `${cases} files: ${accepted} accepted, ${refusals.size} different refusals, slowest ${
        Math.round(1000 * slowest)
      } ms ` +
        `(${worst}), memory grew by at most ${Math.round(largest / 1e6)} MB`,
      refusals.size > 0 || accepted === cases,
      "some are refused",
    );
  });
}
