/** Claims about the rows of a comparison: their order, and which of them are shown. @module */
import {
  type ComparisonParts,
  type ComparisonRequest,
  planRun,
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
    const { noisePredictor, calls } = exactPredictor([2, 2, 1], { classes: 10 });
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
    check.equal("the label of the plan", calls.labelled[0], [0, { scale: 1 }], "a class's calls");
    const labelled = (classes: number) => {
      const { noisePredictor, calls } = exactPredictor([2, 2, 1], { classes });
      planRun(request, { network: { name: "n", noisePredictor } });
      return calls.labelled;
    };
    check.equal("of one class", labelled(1), [[0, { scale: 1 }]], "the only one");
    check.equal("of none", labelled(0), [[null, { scale: 1 }]], "without a label");
    const others = ["b", "c", "a"].map((network) => ({ ...earlier[0], network }));
    const kept = (await runComparison(request, { ...parts, earlier: [...others, ...earlier] })).rows;
    const alike = kept.filter(({ network }) => network !== "n").map(({ network }) => network);
    check.equal("rows of one place", alike, ["b", "c", "a"], "as they came");
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
      high.shown.vp.map(({ row }) => row.steps).sort((a, b) => a - b),
      [2, 10],
      "4 evaluations of Heun's, 10 of ancestral",
    );
  },
);

claim(
  "a plan runs samplers that choose their steps once, and counts the calls of an evaluation",
  async (check) => {
    const networks = { network: "n", calls: 1 };
    const adaptive = {
      ...request,
      samplers: ["adaptive-sde"],
      sdes: { vp: sdes.vp },
      steps: [],
      nfe: [20, 50],
    };
    check.equal("adaptive", planComparison(adaptive, networks), {
      settings: [{
        network: "n",
        sde: "vp",
        sampler: "adaptive-sde",
        grid: "uniform",
        steps: 1,
        options: {},
      }],
      refused: [],
    }, "at the largest budget, one step of the grid");
    const heun = { ...adaptive, samplers: ["ode-heun"], nfe: [21] };
    const steps = (calls: number) =>
      planComparison(heun, { network: "n", calls }).settings.map(({ steps }) => steps);
    check.equal(
      "Heun's steps of 21 evaluations",
      [steps(1), steps(2)],
      [[10], [4]],
      "20 of them in pairs; 9 of two calls, denoising included",
    );
    for (const calls of [0, 3]) {
      await check.throws(
        `${calls} calls`,
        () => planComparison(adaptive, { ...networks, calls }),
        /^calls must be /,
      );
    }
    const noNumber = /^steps must hold whole numbers from 1 to 10000000, got 0\.5$/;
    await check.throws(
      "half a step",
      () => planComparison({ ...adaptive, steps: [0.5] }, networks),
      noNumber,
    );
    await check.throws(
      "no numbers",
      () => planComparison({ ...adaptive, nfe: [] }, networks),
      /^nfe or steps must hold at least one/,
    );
    const other = { ...adaptive, options: { gamma: 1 } };
    await check.throws(
      "an option of none",
      () => planComparison(other, networks),
      /^none of the samplers has an option gamma: adaptive-sde$/,
    );
  },
);

claim("a comparison that cannot be carried out is refused before anything is drawn", async (check) => {
  const { noisePredictor } = exactPredictor([2, 2, 1], { classes: 10 });
  const reference = { classifier: new Map(), reference: { floor: quality } };
  const attempt = (change: object, parts: object = {}) => () => {
    const all = { network: { name: "n", noisePredictor }, reference, ...parts };
    return runComparison({ ...request, ...change } as ComparisonRequest, all as unknown as ComparisonParts);
  };
  const what = "a network's noise predictor, as networkPredictor\\(\\) makes it, got an object";
  const cases: [string, object, RegExp, object?][] = [
    ["guidance", { guidance: 2 }, /^guidance must be an object, got 2$/],
    ["a scale", { guidance: { scale: NaN } }, /finite number, got NaN$/],
    ["nine digits", { count: 9 }, /^count must be a whole number from 10, got 9$/],
    ["no batch", { batch: 0 }, /^batch must be a positive integer, got 0$/],
    ["seed", { seed: -1 }, /^seed must be a whole number from 0, got -1$/],
    ["show", { show: 0 }, /^show must be a positive number, got 0$/],
    ["network", {}, /^network must be an object, got undefined$/, { network: undefined }],
    ["a predictor", {}, new RegExp(`^network\\.noisePredictor must be ${what}$`), {
      network: { noisePredictor: {} },
    }],
    ["reference", {}, /^reference must be an object, got null$/, { reference: null }],
    ["its numbers", {}, /^reference\.reference must be an object, got undefined$/, { reference: {} }],
    ["earlier", {}, /^earlier must be a list, got 5$/, { earlier: 5 }],
    ["onStep", {}, /^onStep must be a function, got 5$/, { onStep: 5 }],
    ["onRow", {}, /^onRow must be a function, got 5$/, { onRow: 5 }],
    ["no baseline", { baseline: { steps: 2 } }, /^baseline must be an object, got undefined$/],
    [
      "a baseline's predictor",
      { baseline: { steps: 2 } },
      new RegExp(`^baseline\\.noisePredictor must be ${what}$`),
      { baseline: { name: "b", noisePredictor: {} } },
    ],
  ];
  for (const [what, change, message, parts] of cases) {
    await check.throws(what, attempt(change, parts), message);
  }
});
