/** Claims that `deno task compare` says what runComparison measures for its request, in which every field counts. @module */
import { networkPredictor } from "../../../src/networks/network_predictor.ts";
import {
  type ComparisonRequest,
  type ComparisonResult,
  runComparison,
} from "../../../src/runs/comparison.ts";
import { task } from "../../../scripts/compare.ts";
import { resultsCsv, resultsTable } from "../../../scripts/comparison/results.ts";
import { claim } from "../../suite/claim.ts";
import { checkEveryField } from "../../instruments/request_fields.ts";
import { runInside } from "../../instruments/run_inside.ts";
import { smallModel, withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { smallMnist, writeMnist } from "../../instruments/small_mnist.ts";
import { referencesOf } from "../../instruments/small_quality.ts";

const sets = smallMnist({ train: 40, test: 40 });
const referenceOf = referencesOf(sets);

/** A comparison on the small network, which is its own baseline. */
async function compared(request: ComparisonRequest): Promise<ComparisonResult> {
  const { config, weights } = smallModel();
  const noisePredictor = networkPredictor(config, weights);
  const reference = await referenceOf(noisePredictor, request.count);
  const network = { name: "own", noisePredictor };
  const baseline = { name: "baseline", noisePredictor };
  const result = await runComparison(request, { network, baseline, reference });
  noisePredictor.dispose();
  return result;
}

/** Two budgets of one sampler and a baseline, twelve digits in batches of eight. */
const request: ComparisonRequest = {
  sdes: { vp: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 } },
  samplers: ["ddim"],
  nfe: [4, 6],
  steps: [],
  grid: "uniform",
  options: { eta: 0.5 },
  guidance: { scale: 1.5, from: 0.05, to: 40 },
  baseline: { steps: 2 },
  count: 12,
  batch: 8,
  seed: 3,
  show: 1,
};

claim(
  "every field of a comparison's request changes what it measures or shows",
  { engines: ["wasm"] },
  (check) =>
    checkEveryField(check, request, {
      "sdes.vp.kind": { value: "subvp" },
      "sdes.vp.betaMin": { value: 0.3 },
      "sdes.vp.betaMax": { value: 12 },
      "sdes.vp.tMin": { value: 0.05 },
      "sdes.vp.tMax": { value: 0.8 },
      "samplers.0": { value: "ddim", same: "no other sampler has η; the next claim takes others" },
      "nfe.0": { value: 8 },
      "nfe.1": { value: 8 },
      "grid": { value: "quadratic" },
      "options.eta": { value: 0 },
      "guidance.scale": { value: 2 },
      "guidance.from": { value: 5 },
      "guidance.to": { value: 1 },
      "baseline.steps": { value: 3 },
      "count": { value: 13 },
      "batch": { value: 12, same: "a digit's random numbers are its own, whatever batch it is in" },
      "seed": { value: 4 },
      "show": { value: 100 },
    }, async (request) => {
      const { rows, shown, floor } = await compared(request);
      const distances = rows.flatMap(({ quality, evaluations }) => [quality?.frechet ?? 0, evaluations ?? 0]);
      return [floor.frechet, ...distances, ...Object.values(shown).flatMap((rows) => [...rows[0].images])];
    }),
);

claim(
  "compare says what runComparison measures for the request of --dry-run, on its checkpoint and its data",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      await writeMnist(folder, sets);
      const flags =
        `--checkpoint ${folder}/model.safetensors --data ${folder} --engine wasm --sde vp --samplers ddim,ode-euler ` +
        `--nfe 4,6 --grid quadratic --eta 0.5 --guidance 2 --count 20 --batch 12 --seed 5 --show 6 --output ${folder}/c`;
      const { request: asked, stdout, stderr, bar } = await runInside(task, `${flags} --json`);
      const { rows, refused, floor } = await compared(asked);
      const said = JSON.parse(stdout.join("\n"));
      const { network: _, seconds: __, ...first } = said.rows[0];
      const plain = ({ network: _, seconds: __, ...row }: ComparisonResult["rows"][number]) => row;
      check.equal("a row", first, plain(rows[0]), "runComparison of the same digits");
      check.equal("rows", said.rows.map(plain), rows.map(plain), "runComparison of the same digits");
      check.equal("refused and floor", [said.refused, said.floor], [refused, floor], "runComparison");
      const { weights: ___, ...stated } = said.run;
      check.equal("the run", stated, { count: 20, seed: 5, guidance: 2, engine: "wasm" }, "the flags");
      const kept = JSON.parse(await Deno.readTextFile(`${folder}/c.json`));
      check.equal("the file", kept, said, "what is printed");
      const lines = bar.filter((line) => !line.startsWith("comparing"));
      check.equal(
        "lines above the bar",
        lines.toSorted(),
        said.rows.map((row: ComparisonResult["rows"][number]) =>
          `vp, ${row.sampler}${
            row.sampler === "ddim" ? " (eta 0.5)" : ""
          }, ${row.steps} steps: Fréchet distance ${row.quality!.frechet.toFixed(2)}`
        ).toSorted(),
        "a line for each row",
      );
      const counts = bar.filter((line) => line.startsWith("comparing"));
      check.equal("first and last count", [counts[0], counts.at(-1)], [
        `comparing 0/12 evaluations, ddim`,
        `comparing 12/12 evaluations, ode-euler`,
      ], "one step and two of each sampler, in two batches; guidance's second passes are not counted");
      const ending = new RegExp(
        `^4 settings of 20 digits, .* on wasm: ${folder}/c.json, .csv, .svg and .png$`,
      );
      check.holds(`last line: ${stderr.at(-1)}`, ending.test(stderr.at(-1)!), "the request");
    }),
);

claim("compare's words are those of its results, in the table and in the CSV", (check) => {
  const quality = {
    frechet: 11.25,
    kernelDistance: 0.125,
    kernelError: 0.002,
    precision: 0.75,
    recall: 0.5,
    accuracy: 0.875,
  };
  const setting = { network: "n", sde: "vp", sampler: "ddim", grid: "uniform", steps: 4 } as const;
  const results = {
    run: { weights: "n", count: 12 },
    floor: { ...quality, frechet: 1.5 },
    rows: [{
      ...setting,
      options: { eta: 0.5, sNoise: 2 },
      evaluations: 5,
      seconds: 2.25,
      quality,
      failure: null,
    }],
    refused: [{ network: "n", sde: "vp", sampler: "ddpm", at: "2 evaluations", reason: 'too few, by "one"' }],
  };
  check.equal(
    "cells of the table",
    resultsTable(results).split("\n").map((line) => line.trim().split(/ {2,}/)),
    [
      [
        "sde",
        "sampler",
        "grid",
        "steps",
        "evaluations",
        "seconds",
        "Fréchet",
        "kernel distance",
        "precision",
        "recall",
        "accuracy",
      ],
      [
        "vp",
        "ddim (eta 0.5, sNoise 2)",
        "uniform",
        "4",
        "5",
        "2.3",
        "11.25",
        "0.125 ± 0.002",
        "75.0%",
        "50.0%",
        "87.5%",
      ],
      ["–", "12 training images", "1.50", "0.125 ± 0.002", "75.0%", "50.0%", "87.5%"],
      ["Pareto front, vp: 5 ddim (eta 0.5, sNoise 2) 11.25"],
      ['left out: vp, ddpm, 2 evaluations: too few, by "one"'],
    ],
    "written out",
  );
  check.equal("lines of the CSV", resultsCsv(results).split("\n"), [
    "network,sde,sampler,grid,steps,options,evaluations,seconds,frechet,kernelDistance,kernelError,precision,recall,accuracy,failure",
    "n,vp,ddim,uniform,4,eta=0.5 sNoise=2,5,2.25,11.25,0.125,0.002,0.75,0.5,0.875,",
    'n,vp,ddpm,,,,,,,,,,,,"2 evaluations: too few, by ""one"""',
    "training images,,,,,,,,1.5,0.125,0.002,0.75,0.5,0.875,",
    "",
  ], "written out");
});
