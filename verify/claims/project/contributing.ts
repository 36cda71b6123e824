/** Claims about CONTRIBUTING.md: the files that it names are all that a new sampler or SDE takes. @module */
import { claim } from "../../suite/claim.ts";
import { planted } from "../../suite/fault.ts";
import { SourceCopy } from "../../suite/source_copy.ts";

/** Text put before the one place where a text has another. */
function before(place: string, added: string): (text: string) => string {
  return (text) => {
    if (text.split(place).length !== 2) throw new Error(`"${place}" does not stand exactly once`);
    return text.replace(place, () => added + place);
  };
}

/** What each file gets: the explicit midpoint rule on the probability flow. */
const additions: Record<string, (text: string) => string> = {
  "src/samplers/ode_midpoint.ts": () =>
    `import { awaited } from "../compute/tidied.ts";
import { type Sampler, statelessStepper } from "./sampler.ts";

/** The explicit midpoint rule for the probability flow: order 2, two evaluations a step. */
export function odeMidpoint(): Sampler {
  return {
    name: "ode-midpoint",
    start: (model) =>
      statelessStepper(function* (x, t, s) {
        const middle = (s + t) / 2;
        const slope = yield* awaited(model.odeDrift(x, t));
        const half = x.add(slope.mul(middle - t));
        const slopeThere = yield* awaited(model.odeDrift(half, middle));
        return x.add(slopeThere.mul(s - t));
      }),
  };
}
`,
  "src/samplers/registry.ts": (text) =>
    before(
      `import { unipc } from`,
      `import { odeMidpoint } from "./ode_midpoint.ts";\n`,
    )(
      before(
        `  "unipc": {`,
        `  "ode-midpoint": {
    create: odeMidpoint,
    source: "Hairer, Nørsett & Wanner 1993, II.1",
    order: 2,
    path: "probability flow",
    nfePerStep: 2,
    grid: { kind: "uniform", steps: 100 },
  },
`,
      )(text),
    ),
  "mod.ts": before(`export { odeHeun }`, `export { odeMidpoint } from "./src/samplers/ode_midpoint.ts";\n`),
  "verify/problems/sampler_facts.ts": before(
    `  "unipc": {`,
    `  "ode-midpoint": { lastStep: "own rule", drawSteps: 16, counts: [32, 64, 128] },\n`,
  ),
  "verify/claims/samplers/leading_error.ts": (text) =>
    before(
      `/** Where these claims are examined`,
      `import { derivative, leadingError } from "../../reference/error_constants.ts";\n\n`,
    )(
      before(
        `  flow("ode-euler", "uniform",`,
        `  {
    sampler: samplerByName("ode-midpoint"),
    grid: "uniform",
    order: 2,
    // A step's gain is wrong by (p³/6 + p p'/4 + p''/24) h³, p = C'/2C.
    constant: (problem) => {
      const p = (t: number) => varianceSlope(problem, t) / marginalVariance(problem, t) / 2;
      const slope = (t: number) => derivative(p, t);
      const end = marginalVariance(problem, problem.sde.tMin);
      return leadingError(problem.sde, "uniform", 2, (t) => t, (t) =>
        2 * end * (p(t) ** 3 / 6 + p(t) * slope(t) / 4 + derivative(slope, t) / 24));
    },
  },
`,
      )(text),
    ),
  "verify/faults/samplers/ode_midpoint.json": () =>
    JSON.stringify({
      fault: "The midpoint rule takes its second slope at the state where it began",
      file: "src/samplers/ode_midpoint.ts",
      find: "model.odeDrift(half, middle)",
      replace: "model.odeDrift(x, middle)",
      caughtBy: { areas: "^samplers/leading_error$", claims: "ode-midpoint" },
    }),
};

/** The files that a section of CONTRIBUTING.md lists, for a new thing of this name. */
async function listed(section: string, name: string): Promise<string[]> {
  const page = await Deno.readTextFile(new URL("../../../CONTRIBUTING.md", import.meta.url));
  const text = page.split(`## ${section}\n`)[1].split("\n## ")[0];
  return [...text.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, path]) => path.replace("NAME", name));
}

claim(
  "a sampler added by the files that CONTRIBUTING.md names is examined and passes, and its fault is noticed",
  { engines: ["wasm"] },
  async (check) => {
    const files = await listed("Add a sampler", "ode_midpoint");
    check.equal("files of the page", files.toSorted(), Object.keys(additions).sort(), "what is added below");
    check.atMost("how many", files.length, 6, "the project's own rule");
    const folder = await Deno.makeTempDir();
    try {
      const copy = await SourceCopy.make(`${folder}/copy`);
      for (const [path, change] of Object.entries(additions)) {
        await Deno.writeTextFile(`${copy.folder}/${path}`, change(await copy.read(path) ?? ""));
      }
      const examined = ["leading_error", "order_on_mixture", "path_moments", "symmetry"];
      const { failed, passed } = await copy.firstFailure({
        files: examined.map((area) => `samplers/${area}.ts`),
        filter: /ode-midpoint|row in the table of facts/,
        wanted: ({ engine }) => engine === "wasm",
      });
      check.equal("a claim that does not hold", failed, null, "the rule is right");
      for (const area of examined) {
        const count = passed.filter((v) =>
          v.area === `samplers/${area}` && v.name.includes("ode-midpoint")
        ).length;
        check.atLeast(`claims of ${area} on ode-midpoint`, count, 1, "examined, and passed");
      }
      const fault = JSON.parse((await copy.read("verify/faults/samplers/ode_midpoint.json"))!);
      const faulty = planted((await copy.read(fault.file))!, fault);
      const broken = await copy.with(fault.file, faulty!, () =>
        copy.firstFailure({
          files: [`${fault.caughtBy.areas.slice(1, -1)}.ts`],
          filter: new RegExp(fault.caughtBy.claims),
          wanted: ({ engine }) => engine === "wasm",
        }));
      check.equal(
        "what notices its fault",
        broken.failed?.area,
        "samplers/leading_error",
        "planted in the copy",
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

/** What each file gets: σ(t) = σmax t, the noise schedule of EDM, with α = 1. */
const sdeAdditions: Record<string, (text: string) => string> = {
  "src/diffusion/sde.ts": (text) =>
    before(
      `  | {\n    readonly kind: "ddpm";`,
      `  | { readonly kind: "linear-ve"; readonly sigmaMax: number; readonly tMin?: number; readonly tMax?: number }\n`,
    )(
      before(
        `/**\n * dx = σ^t dw:`,
        `/** dx = σmax √(2t) dw: α = 1, σ(t) = σmax t (Karras et al. 2022, with σmax = tMax = 80 at 1). */
export function linearVeSde(
  options: { readonly sigmaMax?: number; readonly tMin?: number; readonly tMax?: number } = {},
): Sde {
  requireOptions("options", options);
  const { sigmaMax = 80, tMin = 1e-3, tMax = 1 } = options;
  requirePositive("sigmaMax", sigmaMax);
  requirePositive("tMin", tMin);
  requireOrder(tMin, tMax);
  return withinTimes({
    config: { kind: "linear-ve", sigmaMax, tMin, tMax },
    tMin,
    tMax,
    priorStd: sigmaMax * tMax,
    alpha: () => 1,
    sigma: (t) => sigmaMax * t,
    driftCoefficient: () => 0,
    diffusionCoefficient: (t) => sigmaMax * Math.sqrt(2 * t),
    timeAtHalfLogSnr: (lambda) => Math.exp(-lambda) / sigmaMax,
  });
}

`,
      )(text),
    ),
  "src/diffusion/sde_registry.ts": (text) =>
    before(`  sigmaPowerSde,\n  subVpSde,`, `  linearVeSde,\n`)(
      before(
        `  ddpm: {`,
        `  "linear-ve": {
    title: "EDM's schedule (Karras et al. 2022)",
    fields: { sigmaMax: "number" },
    times: true,
    create: linearVeSde,
    byDefault: linearVeSde,
    forwardStep: transition,
  },
`,
      )(text),
    ),
  "mod.ts": before(`  sigmaPowerSde,\n`, `  linearVeSde,\n`),
  "verify/problems/sdes.ts": (text) =>
    text.replace("import { edmSde,", "import { edmSde, linearVeSde,")
      .replace(`  { label: "σ^t"`, `  { label: "linear VE", sde: linearVeSde() },\n  { label: "σ^t"`),
  "verify/instruments/hostile/rows_numbers.ts": before(
    `  sigmaPowerSde: {`,
    `  linearVeSde: { arguments: [optional(options({ sigmaMax: optional(number(80, (v) => v > 0)), ...times }))] },\n`,
  ),
  "verify/faults/diffusion/linear_ve.json": () =>
    JSON.stringify({
      fault: "The diffusion coefficient of the linear SDE lacks its factor 2",
      file: "src/diffusion/sde.ts",
      find: "sigmaMax * Math.sqrt(2 * t)",
      replace: "sigmaMax * Math.sqrt(t)",
      caughtBy: { areas: "^diffusion/sde$", claims: "linear-ve" },
    }),
};

claim(
  "an SDE added by the files that CONTRIBUTING.md names is examined and passes, and its fault is noticed",
  { engines: ["wasm"] },
  async (check) => {
    const files = await listed("Add an SDE", "linear_ve");
    check.equal(
      "files of the page",
      files.toSorted(),
      Object.keys(sdeAdditions).sort(),
      "what is added below",
    );
    check.atMost("how many", files.length, 6, "the project's own rule");
    const folder = await Deno.makeTempDir();
    try {
      const copy = await SourceCopy.make(`${folder}/copy`);
      for (const [path, change] of Object.entries(sdeAdditions)) {
        await Deno.writeTextFile(`${copy.folder}/${path}`, change(await copy.read(path) ?? ""));
      }
      const wanted = ({ engine }: { engine: string }) => engine === "wasm";
      const areas = ["diffusion/sde", "samplers/every_combination"];
      const { failed, passed } = await copy.firstFailure({
        files: areas.map((area) => `${area}.ts`),
        filter: /linear-ve|every sampler|kind/,
        wanted,
      });
      check.equal("a claim that does not hold", failed, null, "the SDE is right");
      const own = passed.filter(({ name }) => name.includes("linear-ve"));
      check.atLeast("claims on linear-ve", own.length, 2, "examined, and passed");
      const fault = JSON.parse((await copy.read("verify/faults/diffusion/linear_ve.json"))!);
      const faulty = planted((await copy.read(fault.file))!, fault);
      const broken = await copy.with(
        fault.file,
        faulty!,
        () => copy.firstFailure({ files: ["diffusion/sde.ts"], filter: /linear-ve/, wanted }),
      );
      check.equal("what notices its fault", broken.failed?.area, "diffusion/sde", "planted in the copy");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
