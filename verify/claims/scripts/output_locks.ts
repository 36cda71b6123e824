/**
 * Two processes never write one output: who has claimed it, who may take it over, and what is left afterwards.
 * @module
 */
import { hostname } from "node:os";
import { claimFile, claimFolder, takenOver } from "../../../scripts/cli/output_lock.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";

/** A process that claims a file or a folder, says so and holds it until it is killed or its input ends. */
async function holder(kind: "claimFile" | "claimFolder", path: string): Promise<Deno.ChildProcess> {
  const module = new URL("../../../scripts/cli/output_lock.ts", import.meta.url).href;
  const program = `import { ${kind} } from ${JSON.stringify(module)};
    await ${kind}(${JSON.stringify(path)}); console.log("claimed");
    await Deno.stdin.read(new Uint8Array(1)); Deno.exit(0);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", program],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  if (new TextDecoder().decode(value) !== "claimed\n") throw new Error("the holder claimed nothing");
  return child;
}

claim("an output has one writer at a time, which the others name, and kill -9 releases it", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    for (const [kind, claimIt] of Object.entries({ claimFile, claimFolder })) {
      const path = kind === "claimFile" ? `${folder}/samples.npy` : folder;
      const lock = kind === "claimFile" ? `${path}.lock` : `${path}/.lock`;
      const child = await holder(kind as "claimFile" | "claimFolder", path);
      const { pid, host, since } = JSON.parse(await Deno.readTextFile(lock));
      check.equal(`${kind}: the owner in the lock file`, [pid, host], [child.pid, hostname()], "node:os");
      check.atMost(
        `${kind}: age of the claim, s`,
        Math.abs(Date.now() - Date.parse(since)) / 1000,
        60,
        "now",
      );
      const sentence = new RegExp(
        `^"${path}" is being written by process ${child.pid} on ${hostname()} since 2`,
      );
      await check.throws(`${kind}: a second writer`, () => claimIt(path), sentence);
      child.kill("SIGKILL");
      await child.status;
      await child.stdin.close();
      await child.stdout.cancel();
      check.holds(
        `${kind}: the lock file outlives kill -9`,
        (await Deno.stat(lock)).isFile,
        "nobody removed it",
      );
      {
        using taken = await claimIt(path);
        check.equal(`${kind}: taken over from`, taken.previous?.pid, child.pid, "the process killed");
        const words = takenOver(path, taken) ?? "";
        check.holds(
          `${kind}: ${words}`,
          words.includes(`left by process ${child.pid} on`),
          "it is explained",
        );
        check.equal(
          `${kind}: the new owner`,
          JSON.parse(await Deno.readTextFile(lock)).pid,
          Deno.pid,
          "this process",
        );
        await check.throws(
          `${kind}: the same process again`,
          () => claimIt(path),
          /is being written by process/,
        );
      }
      check.equal(
        `${kind}: what is left`,
        [...Deno.readDirSync(folder)].length,
        0,
        "a lock ends with its scope",
      );

      const polite = await holder(kind as "claimFile" | "claimFolder", path);
      await polite.stdin.close();
      await polite.status;
      await polite.stdout.cancel();
      check.equal(
        `${kind}: after Deno.exit`,
        [...Deno.readDirSync(folder)].length,
        0,
        "a lock ends with its process",
      );

      await Deno.writeTextFile(
        lock,
        JSON.stringify({ pid: 1, host: "elsewhere", since: "2026-01-02T03:04:05Z" }),
      );
      const distant = new RegExp(`was claimed by process 1 on elsewhere since .*: .* remove "${lock}"`);
      await check.throws(`${kind}: an owner on another machine`, () => claimIt(path), distant);
      await Deno.writeTextFile(lock, "");
      {
        using taken = await claimIt(path);
        check.equal(
          `${kind}: after an empty lock file`,
          taken.previous,
          null,
          "its writer died before it wrote",
        );
      }
    }
    await check.throws(
      "no such folder",
      () => claimFile(`${folder}/none/a.npy`),
      /^cannot write ".*a\.npy": no lock file/,
    );
  }));
