/**
 * Claims about the engine that a script takes when none is asked for, and about what may not depend on it.
 * @module
 */
import { denoCacheFolder, isCached } from "../../../scripts/cli/native_engine.ts";
import { currentEngine, useEngine } from "../../../src/compute/engine.ts";
import { ONNX_RUNTIME } from "../../../src/compute/onnx/runtime.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";

claim(
  "Deno's cache is found where Deno keeps it, and a package counts as cached in its own version only",
  async (check) => {
    const variables: Record<string, string> = { HOME: "/home/ada", LOCALAPPDATA: "C:/Ada/Local" };
    const folder = (os: typeof Deno.build.os, more: Record<string, string> = {}) =>
      denoCacheFolder(os, (name) => ({ ...variables, ...more })[name]);
    const source = "https://docs.deno.com/runtime/reference/env_variables/ and `deno info` on each system";
    const found = [
      folder("linux"),
      folder("darwin"),
      folder("windows"),
      folder("linux", { XDG_CACHE_HOME: "/x" }),
    ];
    const expected = [
      "/home/ada/.cache/deno",
      "/home/ada/Library/Caches/deno",
      "C:/Ada/Local/deno",
      "/x/deno",
    ];
    check.equal("by system", found, expected, source);
    check.equal("DENO_DIR wins", folder("windows", { DENO_DIR: "/d" }), "/d", source);
    check.equal("nothing known", denoCacheFolder("linux", () => undefined), undefined, source);
    const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stderr: "null" })
      .output();
    const { denoDir } = JSON.parse(new TextDecoder().decode(info.stdout));
    const here = denoCacheFolder(Deno.build.os, (name) => Deno.env.get(name));
    check.equal("on this machine", here, denoDir, "deno info");

    await withFolder(async (cache) => {
      const { name, version } = ONNX_RUNTIME;
      check.equal("an empty cache", await isCached(name, version, cache), false, "no package was fetched");
      await Deno.mkdir(`${cache}/npm/mirror.example/${name}/1.0.0`, { recursive: true });
      await Deno.writeTextFile(`${cache}/npm/mirror.example/${name}/1.0.0/package.json`, "{}");
      check.equal("another version", await isCached(name, version, cache), false, "it would be downloaded");
      check.equal(
        "that version",
        await isCached(name, "1.0.0", cache),
        true,
        "whatever registry it came from",
      );
    });
  },
);

claim("auto selects onnx where it is available and there is no hardware GPU", {
  needs: ["onnx"],
  engines: ["onnx"],
}, async (check) => {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? null;
  const isReal = adapter !== null && !adapter.info.isFallbackAdapter;
  const engine = await useEngine("auto", { withoutGpu: "onnx" });
  check.equal("offered", engine.name, isReal ? "webgpu" : "onnx", "isFallbackAdapter of the adapter");
  const line = /^(webgpu on .+ GPU|onnx for compiled functions and wasm for the rest, because .+ adapter.*)$/;
  check.holds(`one line: "${engine.reason}"`, line.test(engine.reason), "it says why");
  await withCheckpoint(async (folder) => {
    const flags = ["--checkpoint", `${folder}/model.safetensors`, "--count", "1", "--steps", "1", "--json"];
    const drawn = await run("sample", ...flags, "--output", `${folder}/a.png`);
    const task = JSON.parse(drawn.stdout).engine;
    check.equal("deno task sample", task, isReal ? "webgpu" : "onnx", "its package is in the cache");
  });
});

claim("the digits of a seed and a label are the same on every engine up to rounding", {
  engines: ["onnx", "webgpu", "cpu"],
}, (check) =>
  withCheckpoint(async (folder) => {
    const flags = `--checkpoint ${folder}/model.safetensors --label 4 --count 3 --batch 3 --steps 8 --seed 5`
      .split(" ");
    const draw = async (engine: string) => {
      const output = `${folder}/${engine}.npy`;
      const { code, stderr } = await run("sample", ...flags, "--engine", engine, "--output", output);
      if (code !== 0) throw new Error(stderr);
      return readNpy(await Deno.readFile(output)).values;
    };
    const [ours, reference] = [await draw(currentEngine()!.name), await draw("wasm")];
    const difference = ours.reduce((most, value, at) => Math.max(most, Math.abs(value - reference[at])), 0);
    const source = "9 evaluations with some 1e-6 relative rounding each, on values up to 1";
    check.atMost("largest difference to wasm, in [0, 1]", difference, 1e-4, source, {
      detectable: "one layer, one step or one random number that differs",
    });
    const spread = Math.max(...reference) - Math.min(...reference);
    check.atLeast("spread of the values", spread, 0.5, "a blank picture would prove nothing");
  }));
