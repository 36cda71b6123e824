/** Claims about what tasks have in common beside flags: temporary files, the engine's choice, signals. @module */
import { openEngine, quietenGraphicsDriver } from "../../../scripts/cli/engine.ts";
import { ensureWritable, readPlainFile, readWhole, removeTemporaries } from "../../../scripts/cli/files.ts";
import { isCached, nativeEngineFlags } from "../../../scripts/cli/native_engine.ts";
import { ONNX_RUNTIME } from "../../../src/compute/onnx/runtime.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { withVariables } from "../../instruments/variables.ts";

/** What an action prints on stderr, line by line. */
async function saidOnStderr(action: () => unknown): Promise<string[]> {
  const lines: string[] = [];
  const { error } = console;
  console.error = (line) => void lines.push(line);
  try {
    await action();
  } finally {
    console.error = error;
  }
  return lines;
}

function filesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

claim(
  "temporary files of an output and of its records are removed, and no others",
  (check) =>
    withFolder(async (folder) => {
      const own = [
        "a.npy.12.part",
        "a.npy.json.3.part",
        "a.npy.partial.7.part",
        "a.npy.partial.json.45.part",
      ];
      const others = [
        "a.npy",
        "a.npy.json",
        "a.npy.part",
        "a.npy.x.part",
        "a.npy.1.part.old",
        "a.npyx.1.part",
      ];
      for (const name of [...own, ...others, "b.a.npy.1.part"]) {
        await Deno.writeTextFile(`${folder}/${name}`, "");
      }
      await removeTemporaries(`${folder}/a.npy`);
      const left = [...others, "b.a.npy.1.part"].toSorted();
      check.equal("what is left", filesIn(folder), left, "only a process' number stands before .part");
    }),
);

claim(
  "a file that is read or written must be a plain one, and one above 2 GiB is not read",
  (check) =>
    withFolder(async (folder) => {
      const large = `${folder}/large`;
      {
        using file = await Deno.open(large, { write: true, create: true });
        await file.truncate(2 ** 31 + 1);
      }
      const sentence = "it has 2147483649 bytes, at most 2147483648 are read";
      await check.throws("above 2 GiB", () => readPlainFile(large), new RegExp(`^${sentence}$`));
      const named = new RegExp(`^could not read "${large}": ${sentence}$`);
      await check.throws("above 2 GiB, named", () => readWhole(large), named);
      await check.throws("a folder", () => readPlainFile(folder), /^it is no plain file$/);
      await Deno.writeTextFile(`${folder}/small`, "text");
      const text = new TextDecoder().decode(await readWhole(`${folder}/small`));
      check.equal("a small one", text, "text", "its bytes");
      await Deno.writeTextFile(`${folder}/new.${Deno.pid}.part`, "left by a killed process of this number");
      for (const name of ["new", "small"]) await ensureWritable(`${folder}/${name}`);
      check.equal(
        "trials leave nothing",
        filesIn(folder),
        ["large", "small"],
        "nor what a killed process left",
      );
      check.equal("what was there", await Deno.readTextFile(`${folder}/small`), "text", "it stays");
    }),
);

claim("the native engine is taken where it is in the cache, and its absence is said with what fetches it", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (cache) => {
    const { name, version } = ONNX_RUNTIME;
    const linux = Deno.build.os === "linux";
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? null;
    const hardware = adapter !== null && !adapter.info.isFallbackAdapter;
    await withVariables({ DENO_DIR: cache, XDG_RUNTIME_DIR: undefined }, async () => {
      const without = await nativeEngineFlags();
      check.equal("flags without it", without, ["--lock=deno.lock"], "the other lock file would fetch it");
      await check.throws(
        "asked for by name",
        () => openEngine("onnx"),
        /^the onnx engine is not on this machine: fetch it with deno task onnx \(290 MB\)$/,
      );
      const lines = await saidOnStderr(() => openEngine("wasm"));
      check.equal("wasm by name: lines", lines, [], "nothing to say");
      const variable = "XDG_RUNTIME_DIR";
      check.equal(
        "window system",
        Deno.env.get(variable),
        linux ? "/tmp" : undefined,
        "Vulkan wants a folder",
      );
      Deno.env.set(variable, "/own");
      quietenGraphicsDriver();
      check.equal("a window system's own folder", Deno.env.get(variable), "/own", "it stays");
      if (!hardware) {
        let opened = "";
        const said = await saidOnStderr(async () => opened = (await openEngine("auto")).name);
        check.equal("auto without GPU and native engine", opened, "wasm", "what is left");
        const line = "engine wasm; several times faster after: deno task onnx (290 MB)";
        check.equal("auto: lines", said, [line], "what would be faster");
      }
      const place = `${cache}/npm/registry.example/${name}/${version}`;
      await Deno.mkdir(place, { recursive: true });
      check.equal(
        "a folder without the package",
        await isCached(name, version),
        false,
        "it was not unpacked",
      );
      await Deno.writeTextFile(`${place}/package.json`, "{}");
      const folders = [...new Set([place, await Deno.realPath(place)])].join(",");
      const expected = ["--lock=scripts/onnx.lock", `--allow-ffi=${folders}`];
      check.equal(
        "flags with it",
        await nativeEngineFlags(),
        expected,
        "its lock file, and its folder alone",
      );
    });
    await Deno.mkdir(`${cache}/a b`);
    await Deno.rename(`${cache}/npm`, `${cache}/a b/npm`);
    const spaced = await withVariables({ DENO_DIR: `${cache}/a b` }, nativeEngineFlags);
    const expected = ["--lock=scripts/onnx.lock", "--allow-ffi"];
    check.equal("flags with a folder that has a space", spaced, expected, "a space separates words");
  }));

claim("the first signal asks to stop and gives its exit code, the second stops at once", async (check) => {
  const module = new URL("../../../scripts/cli/interrupt.ts", import.meta.url).href;
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  await Promise.all(
    Object.entries(signals).map(async ([signal, expected]) => {
      const program = `const { Interrupt } = await import(${JSON.stringify(module)});
      const until = async (done) => { while (!done()) await new Promise((r) => setTimeout(r, 5)); };
      const interrupt = new Interrupt();
      console.log(interrupt.raised, interrupt.exitCode);
      Deno.kill(Deno.pid, "${signal}");
      await until(() => interrupt.raised);
      console.log(interrupt.raised, interrupt.exitCode);
      Deno.kill(Deno.pid, "${signal}");
      await until(() => false);`;
      const args = ["eval", "--no-lock", program];
      const { stdout, code } = await new Deno.Command(Deno.execPath(), { args }).output();
      const source = "128 and the signal's number";
      check.equal(
        `${signal}: said`,
        new TextDecoder().decode(stdout),
        `false 130\ntrue ${expected}\n`,
        source,
      );
      check.equal(`${signal}: exit code`, code, expected, source);
    }),
  );
});
