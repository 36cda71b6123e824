/** What `--label` makes of the posterior tasks' samples. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { fromModel } from "../../../src/data/dataset.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { veSde } from "../../../src/diffusion/sde.ts";
import { scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { encodePng } from "../../../src/images/png.ts";
import { readNpy } from "../../../src/images/npy.ts";
import { dpmSolver2M } from "../../../src/samplers/dpm_solver_multistep.ts";
import { drawSamples } from "../../../src/samplers/sample.ts";
import { claim } from "../../suite/claim.ts";
import { run } from "../../instruments/run_task.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";

claim(
  "inpaint gives the network each input's own class, or the one asked for",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const checkpoint = `${folder}/model.safetensors`;
      const known = proceduralDigits(20, createRng(5).fork("inputs")).labels;
      const from = known.findIndex((label, i) => i > 0 && label !== known[i + 1]); // two that can be told apart
      const [a, b] = known.subarray(from, from + 2);
      for (const [label, labels] of [["own", [a, a, b, b]], ["7", [7, 7, 7, 7]]] as const) {
        const file = `${folder}/${label}.npy`;
        const flags = [
          "--engine",
          "wasm",
          "--steps",
          "2",
          "--seed",
          "5",
          "--checkpoint",
          checkpoint,
          "--label",
          label,
        ];
        // Nothing is known, so that samples are those of the class alone.
        const hidden = [
          "--mask",
          "all",
          "--input",
          `digits:${from}-${from + 1}`,
          "--count",
          "2",
          "--output",
          file,
        ];
        const { code, stderr } = await run("inpaint", ...flags, ...hidden);
        check.equal(`--label ${label}: exit code ${stderr}`, code, 0, "no error");
        const { values } = readNpy(await Deno.readFile(file));
        const { config, weights } = smallModel();
        const noisePredictor = networkPredictor(config, weights).withLabels([...labels]);
        const grid = { kind: "karras", rho: 5, steps: 2 } as const;
        const x = await drawSamples(
          scoreModel(noisePredictor, veSde({ sigmaMin: 0.005, sigmaMax: 40 })),
          dpmSolver2M(),
          {
            shape: [4, 28, 28, 1],
            grid,
            rng: createRng(5),
          },
        );
        const expected = fromModel(await x.data<"float32">());
        x.dispose();
        noisePredictor.dispose();
        const apart = Math.max(...expected.map((value, at) => Math.abs(value - values[at])));
        check.atMost(
          `--label ${label}: farthest from the library's draws`,
          apart,
          1e-5,
          "the class-conditional model, rounded otherwise by an observation of nothing",
        );
      }
      const black = encodePng({ width: 28, height: 28, data: new Uint8Array(28 * 28 * 4) });
      await Deno.writeFile(`${folder}/black.png`, black);
      const unknown = await run(
        "inpaint",
        "--engine",
        "wasm",
        "--checkpoint",
        checkpoint,
        "--label",
        "own",
        "--input",
        `${folder}/black.png`,
      );
      check.equal("own class of a picture: exit code", unknown.code, 2, "bad usage");
      check.holds(
        `own class of a picture: ${unknown.stderr}`,
        /--label own needs inputs whose class is known/.test(unknown.stderr),
        "nobody knows it",
      );
    }),
);
