/** Claims about which engine is opened on which adapter, and what is said of it. @module */
import { currentEngine, type EngineOptions, useEngine } from "../../../src/compute/engine.ts";
import * as tf from "../../../src/compute/tf.ts";
import { claim } from "../../suite/claim.ts";

/** Does something while the platform has this adapter, or none; says with which options adapters were asked for. */
async function withAdapter<T>(info: object | null, work: () => Promise<T>): Promise<[T, unknown[]]> {
  const asked: unknown[] = [];
  const requestDevice = () => Promise.reject(new Error("a device was asked for"));
  const gpu = {
    requestAdapter(options: unknown) {
      asked.push(options);
      return Promise.resolve(info === null ? null : { info, requestDevice, limits: {}, features: new Set() });
    },
  };
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  try {
    return [await work(), asked];
  } finally {
    delete (navigator as { gpu?: unknown }).gpu;
  }
}

claim("an engine's reason names the adapter, and a software adapter is told by its flag or its name", {
  engines: ["wasm"],
}, async (check) => {
  const real = { isFallbackAdapter: false, description: "Card", vendor: "maker" };
  const adapters: [what: string, info: object | null, why: string][] = [
    ["none", null, "no WebGPU adapter was found"],
    ["a flag", { ...real, isFallbackAdapter: true }, "Card is a software adapter"],
    [
      "no description",
      { isFallbackAdapter: true, description: "", vendor: "maker" },
      "maker is a software adapter",
    ],
    [
      "no name",
      { isFallbackAdapter: true, description: "", vendor: "" },
      "an unnamed adapter is a software adapter",
    ],
    ...["llvmpipe (LLVM 15)", "lavapipe", "Google SwiftShader", "Microsoft Basic Render Driver"].map((
      description,
    ): [string, object, string] => [
      description,
      { ...real, description },
      `${description} is a software adapter`,
    ]),
  ];
  for (const [what, info, why] of adapters) {
    const [engine, asked] = await withAdapter(info, () => useEngine("auto"));
    check.equal(
      what,
      [engine.name, engine.reason],
      ["wasm", `wasm, because ${why}`],
      "one line that says why",
    );
    check.equal(
      `${what}: asked for`,
      asked,
      [{ powerPreference: "high-performance" }],
      "the faster of two cards",
    );
    check.equal(`${what}: current`, currentEngine(), engine, "the one that was opened last");
    check.equal(`${what}: its check`, engine.check(), undefined, "wasm reports no errors");
  }
  for (const name of ["wasm", "cpu"] as const) {
    const [engine, asked] = await withAdapter(real, () => useEngine(name));
    const reason = { wasm: "wasm, as asked", cpu: "cpu (plain JavaScript, slow), as asked" }[name];
    check.equal(name, [engine.name, engine.reason, asked], [name, reason, []], "no adapter is wanted");
    check.equal(`${name}: its check`, engine.check(), undefined, "no errors");
  }
  await check.throws(
    "webgpu without an adapter",
    () => withAdapter(null, () => useEngine("webgpu")),
    /^the webgpu engine needs a WebGPU adapter, and none was found$/,
  );
  const options: [EngineOptions, RegExp][] = [
    [{ withoutGpu: "cpu" as "wasm" }, /^withoutGpu must be "wasm" or "onnx", got "cpu"$/],
    [{ wasmPath: 3 as unknown as string }, /^wasmPath must be /],
  ];
  for (const [given, message] of options) {
    await check.throws(JSON.stringify(given), () => useEngine("wasm", given), message);
  }
  await useEngine("wasm");
});

claim("without a GPU the native engine is opened where it is asked for, and says why", {
  engines: ["wasm"],
  needs: ["onnx"],
}, async (check) => {
  const [engine] = await withAdapter(null, () => useEngine("auto", { withoutGpu: "onnx" }));
  const parts = "onnx for compiled functions and wasm for the rest";
  check.equal(
    "auto",
    [engine.name, engine.reason],
    ["onnx", `${parts}, because no WebGPU adapter was found`],
    "one line",
  );
  const asked = await useEngine("onnx");
  check.equal(
    "as asked",
    [asked.name, asked.reason, tf.getBackend()],
    ["onnx", `${parts}, as asked`, "wasm"],
    "one line",
  );
  await useEngine("wasm");
});
