/** Claims about the rows of a comparison: their order, and which of them are shown. @module */
import {
  type ComparisonParts,
  type ComparisonRequest,
  type Row,
  runComparison,
} from "../../../src/runs/comparison.ts";
import { planComparison } from "../../../src/runs/comparison_plan.ts";
import { drawDigits } from "../../../src/runs/evaluation.ts";
import { claim } from "../../suite/claim.ts";
import { exactPredictor } from "../../instruments/exact_predictor.ts";

const sdes = {
  vp: { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 0.01, tMax: 0.98 },
  ve: { kind: "ve", sigmaMin: 0.01, sigmaMax: 10 },
} as const;
const request: ComparisonRequest = {
  sdes,
  samplers: ["ode-heun", "ancestral"],
  nfe: [],
  steps: [10, 2],
  grid: "uniform",
  options: {},
  baseline: null,
  guidance: { scale: 1 },
  count: 10,
  batch: 5,
  seed: 4,
  show: 3,
};
const quality = { frechet: 1, kernelDistance: 2, kernelError: 3, precision: 4, recall: 5, accuracy: 6 };

claim(
  "a comparison keeps earlier rows in order, and shows those whose evaluations are nearest",
  async (check) => {
    const plan = planComparison(request, { network: "n", calls: 1 });
    const names = plan.settings.map(({ sde, sampler, steps }) => `${sde} ${sampler} ${steps}`);
    check.equal(
      "plan",
      names,
      [2, 10].flatMap((steps) =>
        ["vp", "ve"].flatMap((sde) =>
          ["ode-heun", "ancestral"].map((sampler) => `${sde} ${sampler} ${steps}`)
        )
      ),
      "the cheap ones first",
    );
    const measured = (setting: Row | typeof plan.settings[number]): Row => ({
      ...setting,
      evaluations: setting.steps * (setting.sampler === "ode-heun" ? 2 : 1),
      seconds: 1,
      quality,
      failure: null,
    });
    const [, , failed] = plan.settings;
    const earlier = plan.settings.map((setting) =>
      setting === failed ? { ...measured(setting), quality: null, failure: "no" } : measured(setting)
    ).toReversed();
    const { noisePredictor } = exactPredictor([2, 2, 1], { classes: 10 });
    const reference = {
      classifier: new Map(),
      reference: { floor: quality },
    } as unknown as ComparisonParts["reference"];
    const parts = { network: { name: "n", noisePredictor }, reference, earlier };
    const { rows, refused, floor, shown } = await runComparison(request, parts);
    check.equal("order", rows.map(({ sde, sampler, steps }) => `${sde} ${sampler} ${steps}`), [
      ..."ve ve ve ve vp vp vp vp".split(" ").map((sde, i) =>
        `${sde} ${["ancestral", "ode-heun"][i >> 1 & 1]} ${[2, 10][i & 1]}`
      ),
    ], "by SDE and sampler as their lists have them, then by steps");
    check.equal("refused and floor", [refused, floor], [[], quality], "nothing, and the reference's");
    const nearest = (sde: string) => shown[sde].map(({ row }) => `${row.sampler} ${row.steps}`).sort();
    check.equal(
      "shown of vp",
      nearest("vp"),
      ["ancestral 2", "ode-heun 2"],
      "2 and 4 evaluations are nearest to 3",
    );
    check.equal(
      "shown of ve",
      nearest("ve"),
      ["ancestral 2", "ode-heun 10"],
      "the one of 4 evaluations failed",
    );
    const first = shown.vp.find(({ row }) => row.sampler === "ancestral")!;
    const { images } = await drawDigits({
      sde: sdes.vp,
      sampler: { name: "ancestral", options: {} },
      grid: { kind: "uniform", steps: 2 },
      guidance: { scale: 1 },
      classifierScale: 0,
      count: 10,
      batch: 10,
      seed: 4,
    }, { noisePredictor });
    check.equal("its digits", [...first.images], [...images], "ten, from the same noise");
    const high = await runComparison({ ...request, show: 8 }, parts);
    check.equal(
      "shown at eight",
      high.shown.vp.map(({ row }) => row.steps).sort(),
      [10, 2],
      "10 of ancestral, 4 of Heun's",
    );
  },
);
