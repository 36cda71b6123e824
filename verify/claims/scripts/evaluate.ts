/** Claims about `deno task evaluate`. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../../../src/networks/registry.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run } from "../../instruments/run_task.ts";

claim("evaluate refuses an invalid count with exit code 2", { engines: ["wasm"] }, async (check) => {
  const few = await run("evaluate", "--count", "5");
  check.equal("exit code", few.code, 2, "bad usage");
  check.equal(
    "one sentence",
    few.stderr,
    'error: --count must be a whole number from 100 to 60000, got "5"\n',
    "what is allowed",
  );
});

claim(
  "evaluate measures the same digits however they are batched, and distinguishes noise from digits",
  { needs: ["mnist"], engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const network: NetworkConfig = {
        ...NETWORK_PRESETS.digits,
        widths: [8, 8],
        blocks: 1,
        middleBlocks: 1,
        embedding: 16,
      };
      const weights = networkFromConfig(network).initialise(createRng(7));
      const model = { config: { network, preconditioning: { sigmaData: .6, centre: -.7 } }, weights };
      const file = `${folder}/model.safetensors`;
      await Deno.writeFile(file, writeModel(model));
      const measure = async (...flags: string[]) => {
        const { code, stdout, stderr } = await run(
          "evaluate",
          "--checkpoint",
          file,
          "--count",
          "100",
          "--steps",
          "4",
          "--json",
          ...flags,
        );
        if (code !== 0) throw new Error(stderr);
        return JSON.parse(stdout);
      };
      const [whole, split] = [await measure("--batch", "100"), await measure("--batch", "40")];
      check.equal(
        "digits and evaluations",
        [whole.count, whole.steps, whole.evaluations],
        [100, 4, 6],
        "four steps and the last denoising; of Karras' ratios 40, 12.4, 2.7, .29, .005 only 2.7 is in guidance's (.6, 6]",
      );
      // Digits are rounded to bytes, so that rounding in the network moves few pixels by one level.
      check.within(
        "Fréchet distance in batches of 40",
        split.frechet / whole.frechet,
        1,
        1e-3,
        "the same digits",
      );
      check.atLeast(
        "Fréchet distance of an untrained network, over the floor",
        whole.frechet / whole.floor.frechet,
        3,
        "grey blurs are no digits",
      );
      check.within("label accuracy", whole.accuracy, .1, .1, "an untrained network cannot know labels");
      const other = await measure("--batch", "100", "--seed", "1");
      check.holds(
        "another seed measures other digits",
        other.frechet !== whole.frechet,
        "all randomness comes from the seed",
      );
    }),
);
