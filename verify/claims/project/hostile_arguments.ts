/**
 * Every exported function with hostile arguments: each argument, each field of an options object and the first entry of each
 * list is replaced in turn by NaN, infinities, −1, 0, ½, 2⁵³, text, null, nothing, an empty list, an object, a function; and
 * tensors by tensors of other ranks and element types.
 * @module
 */
import * as exported from "../../../mod.ts";
import { claim } from "../../suite/claim.ts";
import { casesOf } from "../../instruments/hostile/argument.ts";
import { rows } from "../../instruments/hostile/rows.ts";
import { HostileRun } from "../../instruments/hostile/run.ts";
import { fc } from "../../instruments/properties.ts";

const source =
  "the answer is one for that argument, or a RangeError or TypeError in one sentence of this project's own";

/** Further numbers that a seed chooses: multiples of 1/1024 of both signs, up to a million. */
function drawn(seed: number, count: number): number[] {
  const numbers = fc.integer({ min: -(2 ** 30), max: 2 ** 30 }).map((value) => value / 1024);
  return fc.sample(numbers, { seed, numRuns: count });
}

const functions = Object.entries(exported).filter(([, value]) => typeof value === "function").map(([name]) =>
  name
);

claim("every exported function has a row in the table of hostile calls", { engines: ["wasm"] }, (check) => {
  const lacking = functions.filter((name) => !Object.hasOwn(rows, name));
  check.equal("exported functions without a row", lacking, [], "mod.ts, read when the claim is examined");
  const gone = Object.keys(rows).map((name) => name.split(/[ .]/)[0]).filter((name) =>
    !functions.includes(name)
  );
  check.equal("rows of functions that are not exported", gone, [], "mod.ts, read when the claim is examined");
});

/** Areas of the table, each with a claim of its own, so that what fails is found by what it is about. */
const areas: Readonly<Record<string, (name: string) => boolean>> = areasOf();

for (const [area, belongs] of Object.entries(areas)) {
  claim(
    `exported functions of ${area} answer correctly or refuse hostile arguments in one sentence`,
    { engines: ["wasm"] },
    async (check) => {
      const extra = drawn(check.seed, check.thorough ? 40 : 2);
      const names = Object.keys(rows).filter(belongs);
      const run = new HostileRun(extra);
      try {
        for (const name of names) await run.examine(name);
      } finally {
        run.dispose();
      }
      const cases = names.reduce((sum, name) => sum + 1 + casesOf(rows[name], extra).length, 0);
      check.equal("calls that were not as they should be", run.wrong.slice(0, 20), [], source);
      check.equal("calls made", run.answered + run.refused, cases, "all that the table gives");
      check.atLeast(
        "calls refused",
        run.refused,
        cases / 2,
        "most hostile values are none for most arguments",
      );
      check.table("Calls with hostile arguments", [
        "functions and methods",
        "calls",
        "answered",
        "refused",
        "slowest, ms",
      ], [[
        String(names.length),
        String(cases),
        String(run.answered),
        String(run.refused),
        `${Math.round(run.slowest.ms)} (${run.slowest.call})`,
      ]]);
    },
  );
}

function areasOf(): Record<string, (name: string) => boolean> {
  const sampler =
    /^(adaptive|annealed|sampler|steps|ddim|ddpm$|ode|dpm|edmHeun|edmSto|euler|exponential|langevin$|predictor|reverse|sdeDpm|unipc|stateless|sample|drawSamples)/;
  const conditioning =
    /^(classifier|mixtureC|imputed|pasted|repaint|exactP|linearO|posteriorScore|blur|gaussianK|grey|mask|pooling|projection|randomP|channel|randomMask)/;
  const picture =
    /^(encode(Gif|Png)|imageGrid|readNpy|writeNpy|histogram|panels|plot|decode(Jpeg|Pi|Pn)|loadRaster|.*Picture$|film)/;
  const training =
    /^(mlp|networkF|networkD|tutorial|unet|unflatten|exportOnnx|write(Model|Safe|Check)|read(Model|Safe|Check|Noisy|Class)|Noisy|classify|load(Pre|Noisy)|ema|learn|initial|train|scoreNetwork|measure|runLangevin)/;
  const data =
    /^(shuffled|cifar|idx|imageFolder|readIdx|writeIdx|procedural|colour|digitC|dataset|pixel|toModel|fromModel|modelTo)/;
  const tests = {
    samplers: sampler,
    conditioning,
    pictures: picture,
    "networks and training": training,
    "data sets": data,
  };
  const named = Object.values(tests);
  return {
    ...Object.fromEntries(
      Object.entries(tests).map((
        [area, test],
      ) => [area, (name: string) => named.find((t) => t.test(name)) === test]),
    ),
    "SDEs, distributions and measures": (name: string) => !named.some((test) => test.test(name)),
  };
}
