/** Claims about what tasks read from checkpoints before they draw: names, labels, noise levels, kinds. @module */
import { createHash } from "node:crypto";
import {
  checkLabel,
  describeCheckpoint,
  fingerprint,
  hasLabels,
  loadCheckpoint,
  openClassifier,
} from "../../../scripts/sampling/checkpoint.ts";
import { forCheckpoint } from "../../../scripts/sampling/consistency_model.ts";
import { sdeNamed, sdeNameOf } from "../../../scripts/sampling/sampling.ts";
import { trainedNoise } from "../../../scripts/sampling/sigma_flag.ts";
import { writeModel } from "../../../src/networks/model_file.ts";
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import { COLOURED_DIGITS } from "../../../src/networks/registry.ts";
import type { TrainingConfig } from "../../../src/training/train.ts";
import { loadPretrained } from "../../../src/pretrained.ts";
import { OPTIMIZER_DEFAULTS } from "../../../src/training/optimizer.ts";
import { smallModel } from "../../instruments/small_checkpoint.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

type Objective = TrainingConfig["objective"];

const { config, weights } = smallModel();
const unlabelled = smallModel({ ...config.network, classes: 0 } as Parameters<typeof smallModel>[0]);
const coloured = smallModel({
  ...COLOURED_DIGITS,
  widths: [8, 8],
  blocks: 1,
  middleBlocks: 1,
  embedding: 16,
});

/** Writes a model with a card under a key, and gives its path. */
async function written(folder: string, objective: Objective, key = "recipe"): Promise<string> {
  const rest = { optimizer: OPTIMIZER_DEFAULTS, steps: 1, batch: 1, labelDropout: 0, seed: 0 };
  const metadata = { [key]: JSON.stringify({ objective, ...rest }) };
  const path = `${folder}/${objective.kind}-${key}.safetensors`;
  await Deno.writeFile(path, writeModel(smallModel(), "F32", { metadata }));
  return path;
}

claim(
  "the least noise that a network was trained on is read from its file, of every objective",
  (check) =>
    withFolder(async (folder) => {
      const consistency: Objective = {
        kind: "consistency",
        mean: -0.6,
        std: 1.6,
        range: [0.004, 40],
        highShare: 0.1,
        highFrom: 4,
        gap: { first: 1.2, last: 0.12, settled: 0.75 },
        huber: 0.02,
        teacher: null,
      };
      const sde = { kind: "ve", sigmaMin: 0.02, sigmaMax: 20, tMin: 0.25, tMax: 1 } as const;
      const cases: readonly (readonly [Objective, number])[] = [
        [{ kind: "edm", mean: -1, std: 1.2, sigmaData: 0.5 }, Math.exp(-1 - 4 * 1.2)],
        [{ kind: "levels", ratios: [4, 0.3, 1, 0.4] }, 0.3],
        [{ kind: "sde", sde, weighting: "variance" }, 0.02 * 1000 ** 0.25],
        [consistency, 0.004],
      ];
      for (const [objective, expected] of cases) {
        for (const key of ["recipe", "training"]) {
          const found = await trainedNoise(await written(folder, objective, key));
          check.within(`${objective.kind}, ${key}`, (found ?? 0) / expected, 1, 1e-9, "by hand");
        }
      }
      await Deno.writeFile(`${folder}/bare.safetensors`, writeModel(smallModel()));
      for (const checkpoint of [undefined, `${folder}/bare.safetensors`, `${folder}/none.safetensors`]) {
        check.equal(
          `${checkpoint?.split("/").at(-1)}`,
          await trainedNoise(checkpoint),
          undefined,
          "it is silent",
        );
      }
    }),
);

claim("a checkpoint is a file or the name of a network that comes with the project", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (folder) => {
    const path = `${folder}/model.safetensors`;
    await Deno.writeFile(path, writeModel(smallModel()));
    const named = async (load: () => Promise<Awaited<ReturnType<typeof loadCheckpoint>>>) => {
      const predictor = await load();
      const name = await fingerprint(predictor);
      predictor.dispose();
      return name;
    };
    const text = createHash("sha256").update(JSON.stringify(config));
    const own = [...weights.values()].reduce((hash, part) => hash.update(new Uint8Array(part.buffer)), text);
    check.equal(
      "fingerprint",
      await named(() => loadCheckpoint(path)),
      own.digest("hex"),
      "SHA-256 of config and weights",
    );
    const [mnist, likelihood] = [
      await named(() => loadPretrained("mnist")),
      await named(() => loadPretrained("mnist-likelihood")),
    ];
    check.equal("the default", await named(() => loadCheckpoint(undefined)), mnist, "mnist");
    check.equal(
      "another default",
      await named(() => loadCheckpoint(undefined, "mnist-likelihood")),
      likelihood,
      "the task's",
    );
    check.equal(
      "a name",
      await named(() => loadCheckpoint("mnist-likelihood", "mnist")),
      likelihood,
      "it wins",
    );
    const network = (await describeCheckpoint("mnist-likelihood"))?.config.network;
    const loaded = await loadPretrained("mnist-likelihood");
    check.equal("what a name's file says", network, loaded.config.network, "as loaded");
    loaded.dispose();
    check.equal("what a file says", (await describeCheckpoint(path))?.config, config, "as written");
    check.equal(
      "no file",
      await describeCheckpoint(`${folder}/none.safetensors`),
      undefined,
      "it is not there",
    );
    await Deno.writeFile(`${folder}/plain.safetensors`, writeModel(unlabelled));
    const labels = [undefined, path, "mnist", `${folder}/plain.safetensors`, `${folder}/none.safetensors`];
    check.equal(
      "labels",
      await Promise.all(labels.map(hasLabels)),
      [true, true, true, false, true],
      "classes of the network",
    );
    await Deno.writeTextFile(`${folder}/torn.safetensors`, "torn");
    await check.throws("a damaged file", () =>
      loadCheckpoint(`${folder}/torn.safetensors`), /^".*torn\.safetensors" cannot be used: /);
  }));

claim("labels and classifiers that a network cannot have are refused in a sentence", {
  engines: ["wasm"],
}, async (check) => {
  const [grey, without, colour] = [smallModel(), unlabelled, coloured].map((model) =>
    networkPredictor(model.config, model.weights)
  );
  for (const label of ["none", "random", 0, 9, "7"]) {
    check.equal(`${label}`, checkLabel(label, grey), undefined, "ten classes");
  }
  check.equal("none of none", checkLabel("none", without), undefined, "no label");
  for (
    const [label, network, message] of [
      [10, grey, /^--label 10: the network's labels are 0 to 9$/],
      ["random", without, /^--label random: the network has no labels$/],
      [0, without, /^--label 0: the network has no labels$/],
    ] as const
  ) await check.throws(String(label), () => checkLabel(label, network), message);
  check.equal("no classifier", await openClassifier(colour, 0), null, "scale 0");
  const classifier = await openClassifier(grey, -1);
  check.holds("a classifier", classifier !== null, "of grey digits");
  classifier?.dispose();
  await check.throws(
    "of coloured digits",
    () => openClassifier(colour, 2),
    /^--classifier-scale is for digits of shape \[28,28,1\], the checkpoint has \[28,28,3\]$/,
  );
  for (const predictor of [grey, without, colour]) predictor.dispose();
});

claim(
  "a consistency function is drawn from by its own sampler, with the guidance that is asked for, and by no other",
  (check) =>
    withFolder(async (folder) => {
      const [score, few] = [`${folder}/score.safetensors`, `${folder}/few.safetensors`];
      await Deno.writeFile(score, writeModel(smallModel()));
      await Deno.writeFile(few, writeModel({ config: { ...config, consistency: true }, weights }));
      const none = { sampler: undefined };
      const drawn = async (flags: Parameters<typeof forCheckpoint>[0]) => await forCheckpoint(flags);
      const unasked = { checkpoint: few, sampler: "consistency", guidance: 1 };
      check.equal("unasked", await drawn({ checkpoint: few, ...none }), unasked, "the network's own");
      check.equal("scale 0", await drawn({ checkpoint: few, ...none, classifierScale: 0, guidance: 1 }), {
        ...unasked,
        classifierScale: 0,
      }, "no guidance");
      for (const guidance of [0, 2]) {
        const asked = await drawn({ checkpoint: few, ...none, guidance });
        check.equal(`guidance ${guidance}`, asked, { ...unasked, guidance }, "as given");
      }
      for (const checkpoint of [score, undefined]) {
        const flags = { checkpoint, ...none, guidance: 2, plan: "p.json", classifierScale: 1 };
        check.equal(
          `${checkpoint?.slice(-17)}`,
          await drawn(flags),
          { ...flags, checkpoint: checkpoint ?? "mnist", sampler: "dpm++2m" },
          "as given, unasked from the score network",
        );
      }
      const gone = { checkpoint: `${folder}/none.safetensors`, sampler: "consistency" };
      check.equal("a file that is not there", await drawn(gone), gone, "said where it is read");
      for (
        const [flags, message] of [
          [
            { checkpoint: "mnist", sampler: "consistency" },
            /^--sampler consistency needs a consistency function, and "mnist" is a score network: choose another sampler, or train one with deno task train --objective consistency$/,
          ],
          [
            { checkpoint: score, sampler: "consistency" },
            /function, and ".*score\.safetensors" is a score network/,
          ],
          [
            { checkpoint: few, sampler: "ddim" },
            /^--sampler ddim needs a score, and ".*" is a consistency function: use --sampler consistency$/,
          ],
          [
            { checkpoint: few, ...none, plan: "p.json" },
            /^--plan needs a score, and ".*" is a consistency function: leave it out$/,
          ],
          [
            { checkpoint: few, ...none, classifierScale: 1 },
            /^--classifier-scale needs a score, and ".*" is a/,
          ],
        ] as const
      ) {
        await check.throws(JSON.stringify({ ...flags, checkpoint: flags.checkpoint?.slice(-17) }), () =>
          drawn(flags), message);
      }
      await check.throws(
        "where a score is needed",
        () =>
          loadCheckpoint(few),
        /^".*few\.safetensors" is a consistency function, which has no score: deno task sample and deno task evaluate/,
      );
      const either = await loadCheckpoint(few, "mnist", "either");
      check.equal("where either will do", either.consistency, true, "as written");
      either.dispose();
    }),
);

claim("an SDE is called by its name where its numbers are those of the name, else by its kind", (check) => {
  const ve = { kind: "ve", sigmaMin: 0.005, sigmaMax: 40, tMin: 1e-5, tMax: 1 } as const;
  check.equal("VE's numbers", [sdeNamed(ve), sdeNameOf(ve)], ["ve", "ve"], "those of all tasks");
  const other = { ...ve, sigmaMax: 41 };
  check.equal("others", [sdeNamed(other), sdeNameOf(other)], [undefined, "ve"], "its kind");
});
