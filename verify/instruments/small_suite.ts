/**
 * A copy of the suite with a few claims of its own, for claims about how the suite is run.
 * @module
 */
import { SourceCopy } from "../suite/source_copy.ts";
import type { Run } from "./run_task.ts";
import { withFolder } from "./temporary_folder.ts";

/** The claim files of that suite. One of four claims fails; in two chance plays. */
const claimFiles: Readonly<Record<string, string>> = {
  "a/whole.ts": 'claim("one is one", { engines: ["cpu"] }, (check) => check.equal("1", 1, 1, "itself"));',
  "a/half.ts": `claim("a half is one", { engines: ["cpu"] }, (check) => check.equal("½", 0.5, 1, "wrong"));`,
  "b/chance.ts": `claim("draws have their mean", { engines: ["cpu"] }, (check) => {
  const draws = createRng(check.seed).normalValues([64]);
  checkMean(check, "mean", draws.reduce((sum, z) => sum + z, 0) / 64, 0, 1, 64, "N(0, 1)");
});
claim("draws are at most 99", { engines: ["cpu"] }, (check) =>
  check.atMost("draw", createRng(check.seed).normalValues([1])[0], 99, "N(0, 1)", { alarmRate: 3e-10 }));`,
};

/** Does something with the copy; `verify` runs a module of its folder verify. */
export async function withSmallSuite(
  work: (folder: string, verify: (module: string, ...args: string[]) => Promise<Run>) => Promise<void>,
): Promise<void> {
  await withFolder(async (parent) => {
    const { folder } = await SourceCopy.make(`${parent}/copy`);
    await Deno.remove(`${folder}/verify/claims`, { recursive: true });
    for (const [path, text] of Object.entries(claimFiles)) {
      await Deno.mkdir(`${folder}/verify/claims/${path.split("/")[0]}`, { recursive: true });
      await Deno.writeTextFile(
        `${folder}/verify/claims/${path}`,
        `import { createRng } from "../../../src/compute/rng.ts";
import { checkMean } from "../../instruments/statistics.ts";
import { claim } from "../../suite/claim.ts";
${text}\n`,
      );
    }
    await work(folder, async (module, ...args) => {
      const flags = ["run", "--no-check", "--frozen", "--lock=verify/deno.lock", "--allow-all"];
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [...flags, `verify/${module}`, ...args],
        cwd: folder,
        env: { INIT_CWD: folder, NO_COLOR: "1" },
      }).output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    });
  });
}
