/** Claims about outputs that are symbolic links: they are refused, and what they point to stays as it was. @module */
import { atomicWrite, ensureWritable } from "../../../scripts/cli/files.ts";
import { helpText, text } from "../../../scripts/cli/flags.ts";
import { claimFile } from "../../../scripts/cli/output_lock.ts";
import { PartialNpy } from "../../../scripts/sampling/resumable_npy.ts";
import { TrainingFolder } from "../../../scripts/training/run_folder.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";

claim("an output that is a symbolic link is refused, and nothing is written through one", async (check) => {
  await withFolder(async (folder) => {
    const target = `${folder}/target`;
    const bytes = new Uint8Array([1, 2, 3]);
    await Deno.writeFile(target, bytes);
    await Deno.mkdir(`${folder}/run`);
    const linked = async (name: string) => {
      await Deno.symlink(target, `${folder}/${name}`);
      return `${folder}/${name}`;
    };
    const refused =
      /^cannot write ".*": it is a symbolic link; name the file that it points to, or remove it$/;
    const picture = await linked("picture.png");
    await check.throws("asked beforehand", () => ensureWritable(picture), refused);
    await check.throws("a whole file", () => atomicWrite(picture, new Uint8Array(9)), refused);
    check.equal("the link", await Deno.readLink(picture), target, "still there");
    await linked("a.npy.lock");
    await check.throws("the lock of an output", () => claimFile(`${folder}/a.npy`), refused);
    for (const ending of ["", ".partial", ".partial.json"]) {
      const path = `${folder}/b${ending.length}.npy`;
      await linked(`b${ending.length}.npy${ending}`);
      const open = () => PartialNpy.open({ path, shape: [1, 2], run: {}, resume: true });
      await check.throws(`a growing array's file${ending}`, open, refused);
    }
    await linked("run/metrics.jsonl");
    const resumed = `${folder}/run/checkpoint.safetensors`;
    await check.throws("a run's metrics", () => TrainingFolder.open(`${folder}/run`, resumed), refused);

    // Temporary names can be guessed: a link that waits there is removed, not followed.
    await linked(`c.bin.${Deno.pid}.part`);
    await ensureWritable(`${folder}/c.bin`);
    check.equal("after asking", await Deno.readFile(target), bytes, "as it was");
    await linked(`c.bin.${Deno.pid}.part`);
    await atomicWrite(`${folder}/c.bin`, new Uint8Array(9));
    check.equal(
      "after writing",
      await Deno.readFile(`${folder}/c.bin`),
      new Uint8Array(9),
      "a file of its own",
    );
    check.equal("what the links point to", await Deno.readFile(target), bytes, "as it was");

    await Deno.symlink(`${folder}/run`, `${folder}/way`);
    await atomicWrite(`${folder}/way/d.bin`, bytes);
    check.equal("a link among the folders", await Deno.readFile(`${folder}/run/d.bin`), bytes, "followed");
  });
  const help = (name: string) =>
    helpText({ name: "x", purpose: "x", flags: { [name]: text({ help: "x" }) } });
  check.holds("help of a task with an output", /symbolic link is refused/.test(help("output")), "it says so");
  check.holds("help of one without", !/symbolic/.test(help("data")), "it has no output");
});
