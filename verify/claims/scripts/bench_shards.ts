/** Claims about the bench that draws one array undivided and in shards. @module */
import { runShardBench } from "../../../scripts/bench/shards.ts";
import { run } from "../../instruments/run_task.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

/** What stands for a task that was started. */
interface Fake {
  readonly output: Promise<string | null>;
  kill(): void;
}

/** Fakes of sample and join: an array is one byte a sample, its number; `torn` adds one byte to the joined array. */
function fakes(folder: string, torn: boolean) {
  const started: string[] = [];
  const flag = (words: readonly string[], name: string) => words[words.indexOf(`--${name}`) + 1];
  const sample = async (words: readonly string[], killed: Promise<void>): Promise<string | null> => {
    const output = flag(words, "output");
    const [index, shards] = words.includes("--shard") ? flag(words, "shard").split("/").map(Number) : [1, 1];
    const count = Number(flag(words, "count"));
    const first = count * (index - 1) / shards;
    const bytes = Uint8Array.from({ length: count / shards }, (_, i) => first + i);
    const journal = `${output}.partial.json`;
    const again = await Deno.stat(journal).then(() => true, () => false);
    if (index === 2 && !again) {
      await Deno.writeTextFile(journal, '{"run":1}\n{"samples":1,"sha256":""}\n');
      await new Promise((resolve) => setTimeout(resolve, 60));
      await Deno.writeTextFile(journal, '{"samples":2,"sha256":""}\n', { append: true });
      await killed;
      return null;
    }
    await Deno.writeFile(output, bytes);
    const memory = { early: 10 * index, late: 20 * index, peak: 30 * index };
    return JSON.stringify({ engine: "wasm", evaluations: 3, memory });
  };
  const join = async (words: readonly string[]): Promise<string> => {
    const parts: number[] = [];
    for (let i = 1; i <= Number(flag(words, "shards")); i++) {
      parts.push(...await Deno.readFile(flag(words, "parts").replace("%", String(i))));
    }
    await Deno.writeFile(flag(words, "output"), Uint8Array.from(torn ? [...parts, 0] : parts));
    return "";
  };
  return {
    started,
    parts: {
      folder,
      say: () => {},
      start: (task: string, words: readonly string[]) => {
        started.push([task, ...words].join(" ").replaceAll(folder, ""));
        let kill = () => {};
        const killed = new Promise<void>((resolve) => kill = resolve);
        const output = task === "join" ? join(words) : sample(words, killed);
        return Promise.resolve({ output, kill } satisfies Fake as unknown as Deno.ChildProcess);
      },
      outputOf: (_: string, process: Deno.ChildProcess) => (process as unknown as Fake).output,
    },
  };
}

claim("bench:shards kills one shard half-way, resumes it, and compares the joined bytes", async (check) => {
  const request = {
    ...{ checkpoint: "net.safetensors", steps: 5, engine: "wasm" },
    ...{ count: 12, batch: 2, shards: 3, processes: 2 },
  };
  await withFolder(async (folder) => {
    const { started, parts } = fakes(folder, false);
    const result = await runShardBench(request, parts);
    const drawn = (output: string, shard = "") =>
      `sample --checkpoint net.safetensors --steps 5 --engine wasm --count 12 --batch 2 --output /${output}.npy ` +
      `--resume --json${shard}`;
    check.equal("started first", started[0], drawn("whole"), "the undivided run");
    check.equal("started in between", started.slice(1, -1).sort(), [
      drawn("part-1", " --shard 1/3"),
      drawn("part-2", " --shard 2/3"),
      drawn("part-2", " --shard 2/3"),
      drawn("part-3", " --shard 3/3"),
    ], "each shard, and the middle one again");
    check.equal(
      "started last",
      started.at(-1),
      "join --parts /part-%.npy --shards 3 --output /joined.npy",
      "",
    );
    check.equal("killed", result.killed, { shard: 2, after: 3 }, "at 2 of 4 samples or more, here 3");
    check.equal("equal", result.equal, true, "the bytes 0 to 11, in order");
    const digest = new Uint8Array(
      await crypto.subtle.digest("SHA-256", Uint8Array.from({ length: 12 }, (_, i) => i)),
    ).toHex();
    check.equal("SHA-256", result.sha256, digest, "Web Crypto's");
    check.equal("memory", result.memory, {
      whole: { early: 10, late: 20, peak: 30 },
      shards: { early: 30, late: 60, peak: 90 },
    }, "of the shard that held the most");
    const { whole, shards } = result.throughput;
    check.holds(
      "samples a second",
      whole > 0 && shards > 0 && shards < 12 / 0.06,
      "the shard that is killed waits .06 s",
    );
    check.equal(
      "engine and evaluations",
      [result.engine, result.evaluations],
      ["wasm", 3],
      "the first run's",
    );
  });
  await withFolder(async (folder) => {
    const { equal } = await runShardBench(request, fakes(folder, true).parts);
    check.equal("one byte more", equal, false, "noticed");
  });
  const refused = await run("bench:shards", "--count", "100", "--batch", "64", "--shards", "3");
  check.equal("more shards than batches: exit code", refused.code, 2, "bad usage");
  check.equal(
    "its sentence",
    refused.stderr.trim(),
    "error: 100 samples are 2 batches of 64: at most 2 --shards, got 3",
    "the values and what is allowed",
  );
});

claim(
  "an array drawn in shards by processes, one of them killed and resumed, is the undivided array",
  {
    engines: ["wasm"],
    slow: {
      files: ["scripts/sample.ts", "scripts/join.ts", "scripts/sampling", "scripts/bench", "src/runs"],
    },
  },
  (check) =>
    withCheckpoint(async (folder) => {
      const flags = "--count 600 --batch 2 --shards 3 --steps 4 --engine wasm --json".split(" ");
      const { code, stdout, stderr } = await run(
        "bench:shards",
        ...["--checkpoint", `${folder}/model.safetensors`],
        ...flags,
      );
      check.equal("exit code", code, 0, stderr);
      const { equal, killed } = JSON.parse(stdout);
      check.equal("equal bytes", equal, true, "every sample is drawn in the same batch");
      check.holds(
        `killed ${JSON.stringify(killed)}`,
        killed?.shard === 2 && killed.after >= 100,
        "half of 200",
      );
    }),
);
