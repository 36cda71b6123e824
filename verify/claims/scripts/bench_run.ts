/** Claims that `deno task bench` times what its request says, and prints what was measured. @module */
import type { Engine, EngineName } from "../../../src/compute/engine.ts";
import { NETWORK_PRESETS } from "../../../src/networks/registry.ts";
import type { Action, Contender } from "../../../scripts/bench/contender.ts";
import {
  type BenchParts,
  type BenchRequest,
  type BenchResult,
  runBench,
} from "../../../scripts/bench/run.ts";
import { task } from "../../../scripts/bench.ts";
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { printed } from "../../instruments/printed.ts";
import { checkEveryField } from "../../instruments/request_fields.ts";
import { claim } from "../../suite/claim.ts";

/** What is called, in order, instead of what takes time. */
class Recorder implements BenchParts {
  readonly calls: string[] = [];
  #opened = 0;

  #call(...words: unknown[]): void {
    this.calls.push(words.map((word) => JSON.stringify(word)).join(" "));
  }

  #contender<N extends string>(name: N): Contender & { readonly name: N } {
    let times = 100 * this.#opened++;
    return {
      name,
      about: `about ${name}`,
      time: (action) => {
        this.#call("time", name, action);
        return Promise.resolve(++times);
      },
      memory: () => Promise.resolve(1000 + times),
      close: () => Promise.resolve(this.#call("close", name)),
    };
  }

  openOurs(engine: EngineName, ...rest: unknown[]) {
    this.#call("ours", engine, ...rest);
    // Two are what "auto" comes to, and what was asked for.
    const opened: Engine["name"] = engine === "auto" ? "onnx" : engine;
    return Promise.resolve(this.#contender(opened));
  }

  openTwin(...options: Parameters<BenchParts["openTwin"]>) {
    this.#call("twin", ...options);
    return Promise.resolve(this.#contender(options[0] === "pytorch" ? "PyTorch 2" : "torch.compile 2"));
  }

  profile(...options: unknown[]) {
    this.#call("profile", ...options);
    return Promise.resolve({ forward: [], step: [] });
  }

  measureSize(...options: Parameters<BenchParts["measureSize"]>) {
    this.#call("size", ...options);
    const [engine, , size] = options;
    return Promise.resolve({ engine, ...size, forward: 1, step: 2, memory: 3 });
  }

  /** The label and total of each bar, and the counts that it showed. */
  readonly bars: [string, number, number[]][] = [];

  // Called apart from its object.
  readonly withProgress: BenchParts["withProgress"] = ({ label, total }, action) => {
    const counts: number[] = [];
    this.bars.push([label, total, counts]);
    return action((done) => counts.push(done));
  };
}

const request: BenchRequest = {
  network: "digits",
  batch: 3,
  side: 8,
  engines: ["auto", "wasm"],
  against: ["pytorch", "torch-compile"],
  rounds: 2,
  digits: { checkpoint: "a.safetensors", rounds: 1, twinSteps: 7 },
  profile: true,
  growth: [{ batch: 5, side: 12 }],
};

const names = ["onnx", "wasm", "PyTorch 2", "torch.compile 2"];

const model = {
  network: { ...NETWORK_PRESETS.digits, height: 8, width: 8 },
  preconditioning: { sigmaData: 0.5, centre: 0 },
};

claim("a bench opens, times and measures just what its request says, contenders in turn", async (check) => {
  const recorder = new Recorder();
  const so: BenchResult[] = [];
  const result = await runBench(
    request,
    Object.assign(recorder, { onResult: (r: BenchResult) => so.push(r) }),
  );
  const round = (...actions: Action[]) =>
    actions.flatMap((action) => names.map((name) => `"time" "${name}" "${action}"`));
  const stated = JSON.stringify(model);
  check.equal("calls", recorder.calls, [
    `"ours" "auto" ${stated} 3 "a.safetensors"`,
    `"ours" "wasm" ${stated} 3 "a.safetensors"`,
    `"twin" "pytorch" ${JSON.stringify(model.network)} 3 7`,
    `"twin" "torch-compile" ${JSON.stringify(model.network)} 3 7`,
    ...[1, 2, 3].flatMap(() => round("forward", "step")),
    ...[1, 2].flatMap(() => round("digits")),
    `"profile" "onnx" ${stated} 3`,
    `"profile" "wasm" ${stated} 3`,
    `"size" "onnx" "digits" {"batch":5,"side":12} 2`,
    `"size" "wasm" "digits" {"batch":5,"side":12} 2`,
    ...names.map((name) => `"close" "${name}"`),
  ], "the request; a round more than asked warms up");
  const timing = recorder.bars.filter(([label]) => label === "timing");
  check.equal("bars", timing, [["timing", 3, [1, 2, 3]], ["timing", 2, [1, 2]]], "the rounds that are done");
  // The n-th time of a contender is n, of the next ones 100 more: 1 and 2 warm up, and so does 7.
  const times = (more: number) => ({
    forward: [more + 3, more + 5],
    step: [more + 4, more + 6],
    digits: [more + 8],
  });
  check.equal("the result", result, {
    parameters: 462_788,
    contenders: (["onnx", "wasm", null, null] as const).map((engine, at) => {
      const name = names[at];
      const more = 100 * at;
      return { name, about: `about ${name}`, engine, memory: 1008 + more, milliseconds: times(more) };
    }),
    profiles: (["onnx", "wasm"] as const).map((engine) => ({ engine, forward: [], step: [] })),
    growth: ["onnx", "wasm"].map((engine) => ({
      ...{ engine, batch: 5, side: 12, forward: 1, step: 2, memory: 3 },
    })),
  }, "what was called");
  check.equal("the last of what was told on the way", so.at(-1), result, "nothing measured is lost");
  check.equal(
    "what was told when PyTorch was open",
    so[0].contenders.map(({ milliseconds }) => milliseconds),
    [{}, {}, {}, {}],
    "nothing timed yet",
  );
});

claim("every field of a bench's request changes what is called", (check) =>
  checkEveryField(check, request, {
    network: { value: "tutorial" },
    batch: { value: 4 },
    side: { value: 12 },
    "engines.0": { value: "cpu" },
    "engines.1": { value: "cpu" },
    "against.0": { value: "torch-compile" },
    "against.1": { value: "pytorch" },
    rounds: { value: 1 },
    "digits.checkpoint": { value: null },
    "digits.rounds": { value: 2 },
    "digits.twinSteps": { value: 9 },
    profile: { value: false },
    "growth.0.batch": { value: 6 },
    "growth.0.side": { value: 16 },
  }, async (request) => {
    const recorder = new Recorder();
    await runBench(request, recorder);
    return Array.from(recorder.calls.join("\n"), (letter) => letter.charCodeAt(0));
  }));

claim("what fails ends a bench with all that it opened closed", async (check) => {
  const recorder = new Recorder();
  const failing = Object.assign(recorder, {
    profile: () => Promise.reject(new Error("no profile")),
  });
  await check.throws("a profile that fails", () => runBench(request, failing), /no profile/);
  check.equal(
    "closed",
    recorder.calls.filter((call) => call.startsWith('"close"')),
    names.map((name) => `"close" "${name}"`),
    "all contenders",
  );
});

claim("bench's tables are those of its request and its result", async (check) => {
  const all = { ...request, output: null };
  const machine = { cpu: "Chip", threads: 2, memory: "8.0 GB", deno: "2.9.0", tfjs: "4.22.0", load: "0.5" };
  const share = (operation: string, milliseconds: number) => ({ operation, calls: 2, milliseconds });
  const result = {
    machine,
    parameters: 77,
    contenders: [
      {
        ...{ name: "wasm", about: "eight bytes", engine: "wasm" as const, memory: 1e9 },
        milliseconds: { forward: [4, 1, 2], step: [20, 10, 40], digits: [1000] },
      },
      {
        ...{ name: "PyTorch 2", about: "one thread", engine: null, memory: 2e9 },
        milliseconds: { forward: [8, 3, 2], step: [20, 30, 20], digits: [3000] },
      },
      {
        ...{ name: "torch.compile 2", about: "two threads", engine: null, memory: 3e9 },
        milliseconds: { forward: [2, 1, 1], step: [10, 5, 80], digits: [500] },
      },
    ],
    profiles: [{ engine: "wasm", forward: [share("Add", 1), share("Mul", 3)], step: [share("Sub", 5)] }],
    growth: [{ engine: "wasm", batch: 5, side: 12, forward: 10, step: 30, memory: 3e9 }],
  } as const;
  const lines = (words: readonly string[]) =>
    printed(() => task.report(all, result, parseFlags(task.usage, words)));
  check.equal("tables", await lines([]), [
    "digits, 77 parameters, batch 3, images 8×8, 2 rounds in turn",
    "Chip, 2 threads, 8.0 GB memory, load 0.5 before, Deno 2.9.0, TensorFlow.js 4.22.0",
    "wasm: eight bytes",
    "PyTorch 2: one thread",
    "torch.compile 2: two threads",
    "",
    "forward pass        min ms   median      max images/s",
    "wasm                     1        2        4     1500   2.00 × PyTorch's speed (1.00 to 3.00), " +
    "0.50 × torch.compile's speed (0.50 to 1.00)",
    "PyTorch 2                2        3        8     1000",
    "torch.compile 2          1        1        2     3000",
    "",
    "training step       min ms   median      max images/s",
    "wasm                    10       20       40      150   1.00 × PyTorch's speed (0.50 to 3.00), " +
    "0.50 × torch.compile's speed (0.50 to 2.00)",
    "PyTorch 2               20       20       30      150",
    "torch.compile 2          5       10       80      300",
    "",
    "64 finished digits     min ms   median      max images/s",
    "wasm                     1000     1000     1000       64   3.00 × PyTorch's speed (3.00 to 3.00), " +
    "0.50 × torch.compile's speed (0.50 to 0.50)",
    "PyTorch 2                3000     3000     3000     21.3",
    "torch.compile 2           500      500      500      128",
    "Here: a.safetensors; of a score network dpm++2m, its default steps and the default guidance" +
    ", which evaluates the network twice at some of them." +
    " PyTorch: the tutorial's network and Euler–Maruyama, 7 steps where the tutorial has 500.",
    "",
    "peak memory of the process: wasm 1.00 GB, PyTorch 2 2.00 GB, torch.compile 2 3.00 GB",
    "",
    "forward pass on wasm, by operation",
    "operation  calls  ms  share",
    "Mul            2   3  75.0%",
    "Add            2   1  25.0%",
    "",
    "training step on wasm, by operation",
    "operation  calls  ms   share",
    "Sub            2   5  100.0%",
    "",
    "growth, each size in a process of its own",
    "engine  batch  image  forward ms  per image  step ms  per image  peak memory",
    "wasm        5  12×12          10          2       30          6      3.00 GB",
  ], "written out");
  const [json] = await lines(["--json"]);
  const results = result.contenders.map(({ name, about, memory, milliseconds }) => ({
    ...{ name, about, memory, milliseconds },
  }));
  check.equal("JSON", JSON.parse(json), {
    ...{ network: "digits", parameters: 77, batch: 3, machine, results },
    ...{ profiles: result.profiles, growth: result.growth },
  }, "all measurements");
});
