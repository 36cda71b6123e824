/** Claims about the playground's worker: what it computes is what the library computes, and what is wrong is answered. @module */
import {
  consistency,
  createRng,
  dpmSolver2M,
  drawSamples,
  loadPretrained,
  scoreModel,
  veSde,
  vpSde,
} from "../../../mod.ts";
import * as tf from "../../../src/compute/tf.ts";
import { runLikelihood } from "../../../src/runs/mod.ts";
import type {
  BitsResult,
  Field,
  ImagesStep,
  JobKind,
  Jobs,
  PlaneStep,
  ToPage,
} from "../../../site/protocol.ts";
import { methods } from "../../../site/settings/panels.ts";
import { leftHalf, PIXELS } from "../../../site/settings/pixels.ts";
import { serve } from "../../../site/worker/serve.ts";
import { claim } from "../../suite/claim.ts";

const wasmOnly = { engines: ["wasm"] } as const;

/** A conversation with a worker in this process. */
class Conversation {
  readonly said: ToPage[] = [];
  readonly #server = serve((message) => {
    this.said.push(message);
    this.#heard?.(message);
  });
  #heard: ((message: ToPage) => void) | null = null;
  #jobs = 0;

  send(message: unknown): void {
    this.#server.receive(message);
  }

  /** Sends a message and waits for an answer. */
  ask(message: unknown, answers: (message: ToPage) => boolean): Promise<ToPage> {
    return new Promise((resolve) => {
      this.#heard = (said) => answers(said) && resolve(said);
      this.send(message);
    });
  }

  async open(): Promise<this> {
    const { kind } = await this.ask({ kind: "open", engine: "wasm" }, ({ kind }) => /opened/.test(kind));
    if (kind !== "opened") throw new Error("wasm did not open");
    return this;
  }

  /** A job from its start to its end. */
  async job<Kind extends JobKind>(
    what: Kind,
    request: Jobs[Kind]["request"],
  ): Promise<{ steps: Jobs[Kind]["step"][]; end: ToPage }> {
    const job = ++this.#jobs;
    const end = await this.ask({ kind: "start", job, what, request }, ended);
    const steps = this.said.flatMap((said) =>
      said.kind === "step" && said.job === job ? [said.value as Jobs[Kind]["step"]] : []
    );
    return { steps, end };
  }
}

function ended({ kind }: ToPage): boolean {
  return kind === "done" || kind === "failed" || kind === "stopped";
}

/** Bytes of values in [−1, 1], as screens show them. */
function bytesOf(values: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(values, (v) => Math.min(255, Math.max(0, Math.round((v + 1) * 127.5))));
}

/** The largest difference between bytes. */
function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

const drawing = {
  sampler: "consistency",
  sde: "ve",
  steps: null,
  label: 3,
  guidance: 1.3,
  count: 1,
  seed: 7,
} as const;

/** A 7 drawn by hand, bytes. */
function seven(): Uint8Array {
  return Uint8Array.from({ length: PIXELS }, (_, at) => {
    const [x, y] = [at % 28, Math.floor(at / 28)];
    const bar = y >= 6 && y <= 8 && x >= 8 && x <= 19;
    const leg = y > 8 && y <= 22 && Math.abs(x - (19 - (y - 8) * 0.5)) < 1.5;
    return bar || leg ? 255 : 0;
  });
}

claim("the worker draws the digit that drawSamples draws for the same seed", wasmOnly, async (check) => {
  const worker = await new Conversation().open();
  const { steps, end } = await worker.job("draw", drawing);
  check.equal("end", end.kind, "done", "the protocol");
  check.equal("steps", steps.map(({ step }) => step), [0, 1, 2, 3], "the start, and three steps");
  const network = await loadPretrained("mnist-consistency");
  const sde = veSde({ sigmaMin: 0.005, sigmaMax: 40 });
  const run = (label: number, count: number) => ({
    model: scoreModel(network.withLabels(label), sde),
    options: { shape: [count, 28, 28, 1], grid: { kind: "levels", steps: 3 } as const, rng: createRng(7) },
  });
  const { model, options } = run(3, 1);
  const x = await drawSamples(model, consistency(), options);
  const source = "drawSamples; a rounding may cross the middle between two bytes";
  check.atMost("bytes apart", gap(steps[3].state, bytesOf(await x.data())), 1, source);
  check.atMost("bytes of the guess apart", gap(steps[3].guess!, steps[3].state), 1, "f(y, ν) is both");
  check.atLeast("the brightest pixel", Math.max(...steps[3].state), 200, "it is a digit");
  x.dispose();
  network.dispose();
});

claim(
  "with a score network the worker draws drawSamples' digits, guided, and sees in noise what the model does",
  wasmOnly,
  async (check) => {
    const worker = await new Conversation().open();
    const request = { ...drawing, sampler: "dpm++2m", sde: "vp", steps: 6, label: null, count: 4 };
    const { steps } = await worker.job("draw", request);
    const network = await loadPretrained("mnist");
    const labels = Array.from(createRng(7).fork("labels").uniformValues([4, 1]), (u) => Math.floor(u * 10));
    const model = scoreModel(network.withLabels(labels, { scale: 1.3, from: 0.6, to: 6 }), vpSde());
    const options = { shape: [4, 28, 28, 1], grid: { kind: "karras", steps: 6, rho: 5 } as const };
    const x = await drawSamples(model, dpmSolver2M(), { ...options, rng: createRng(7) });
    const last = steps[steps.length - 1];
    check.atMost(
      "bytes apart",
      gap(last.state, bytesOf(await x.data())),
      1,
      "drawSamples, labels as runSampling's",
    );
    const noise = createRng(7).normal(options.shape).mul(vpSde().priorStd);
    const seen = model.denoised(noise, vpSde().tMax);
    check.atMost(
      "bytes of the first guess apart",
      gap(steps[1].guess!, bytesOf(await seen.data())),
      1,
      "E[x_0 | x_T]",
    );
    check.equal("a guess before the first evaluation", steps[0].guess, null, "there is none");
    for (const tensor of [x, noise, seen]) tensor.dispose();
    network.dispose();
  },
);

claim(
  "completions keep the pixels that are left and differ where a part is erased, by every method",
  wasmOnly,
  async (check) => {
    const worker = await new Conversation().open();
    const [image, mask] = [seven(), leftHalf()];
    for (const method of methods) {
      const { steps, end } = await worker.job("complete", {
        image,
        mask,
        method,
        steps: 2,
        count: 2,
        seed: 1,
      });
      check.equal(`${method}: end`, end.kind, "done", "the protocol");
      const { images } = steps[steps.length - 1] as ImagesStep;
      const known = Array.from(images).filter((_, at) => mask[at % PIXELS] === 0);
      const wanted = Array.from(images, (_, at) => image[at % PIXELS]).filter((_, at) =>
        mask[at % PIXELS] === 0
      );
      check.equal(`${method}: known pixels`, known, wanted, "they are put in exactly");
      const [first, second] = [images.subarray(0, PIXELS), images.subarray(PIXELS, 2 * PIXELS)];
      check.atLeast(
        `${method}: hidden bytes that differ most`,
        gap(first, second),
        20,
        "samples are independent",
      );
    }
  },
);

claim("colourings have the grey that they were given, and colours", wasmOnly, async (check) => {
  const worker = await new Conversation().open();
  const image = seven().map((byte) => 50 + byte / 2);
  const { steps } = await worker.job("colour", { image, steps: 5, count: 2, seed: 1 });
  const { images, channels } = steps[steps.length - 1] as ImagesStep;
  check.equal("channels", channels, 3, "red, green and blue");
  let [worst, spread] = [0, 0];
  for (let pixel = 0; pixel < 2 * PIXELS; pixel++) {
    const own = images.subarray(3 * pixel, 3 * pixel + 3);
    // A colour beyond what bytes have is cut off, and then its grey is another.
    if (own.some((byte) => byte === 0 || byte === 255)) continue;
    worst = Math.max(worst, Math.abs((own[0] + own[1] + own[2]) / 3 - image[pixel % PIXELS]));
    spread = Math.max(spread, Math.max(...own) - Math.min(...own));
  }
  check.atMost(
    "largest change of grey",
    worst,
    0.5 + 1e-6,
    "three roundings to bytes, half a byte each at most",
  );
  check.atLeast("largest difference of channels", spread, 30, "they are coloured");
});

claim("bits of a drawn digit are those of runLikelihood for the same request", wasmOnly, async (check) => {
  const worker = await new Conversation().open();
  const image = seven();
  const flow = await worker.job("bits", { image, method: "flow", steps: 4, seed: 3 });
  const noisePredictor = await loadPretrained("mnist-likelihood");
  const images = {
    name: "one",
    count: 1,
    shape: [28, 28, 1],
    images: image,
    labels: new Uint8Array(1),
    classes: 10,
  } as const;
  const request = {
    sde: { kind: "ve", sigmaMin: 0.005, sigmaMax: 40, tMin: 1e-5, tMax: 1 },
    minNoise: 0.0013,
    limit: 1,
    batch: 1,
    seed: 3,
  } as const;
  const method = { kind: "rk4", steps: 4, probes: 1, dequantization: "truncated-normal" } as const;
  const expected = await runLikelihood({ ...request, method }, { noisePredictor, images });
  const { bits, error, evaluations } = valueOf<BitsResult>(flow.end);
  check.within(
    "by the flow",
    bits,
    expected.bitsPerDimension,
    1e-4,
    "runLikelihood; float32 along 16 evaluations",
  );
  check.equal(
    "evaluations",
    [evaluations, error],
    [16, null],
    "four to a Runge–Kutta step; one random vector",
  );
  check.equal(
    "the last step that was told",
    flow.steps.at(-1),
    { step: 16, steps: 16 },
    "as many as evaluations",
  );
  const bound = await worker.job("bits", { image, method: "bound", steps: 10, seed: 3 });
  const other = valueOf<BitsResult>(bound.end);
  const elbo = await runLikelihood({ ...request, method: { kind: "elbo", draws: 40 } }, {
    noisePredictor,
    images,
  });
  check.within(
    "the bound",
    other.bits,
    elbo.bitsPerDimension,
    6 * Math.SQRT2 * other.error!,
    "two estimates by other noise levels: six standard errors of their difference",
    { alarmRate: 1e-8 },
  );
  noisePredictor.dispose();
});

function valueOf<T>(end: ToPage): T {
  if (end.kind !== "done") throw new Error(`the job ended as ${JSON.stringify(end)}`);
  return end.value as T;
}

const modes = [{ x: -1.5, y: -1, weight: 0.3 }, { x: 1.2, y: 1.2, weight: 0.6 }];
const mixture = { kind: "mixture", modes, spread: 0.4 } as const;

/** ∇ log Σ π_k N(x; m μ_k, v I), by the formula. */
function mixtureScore(x: number, y: number, m: number, v: number): [number, number] {
  const parts = modes.map((mode) => {
    const [dx, dy] = [m * mode.x - x, m * mode.y - y];
    return { dx, dy, log: Math.log(mode.weight) - (dx ** 2 + dy ** 2) / (2 * v) };
  });
  const largest = Math.max(...parts.map(({ log }) => log));
  const shares = parts.map(({ log }) => Math.exp(log - largest));
  const total = shares.reduce((a, b) => a + b);
  const mean = (of: "dx" | "dy") => parts.reduce((sum, part, k) => sum + shares[k] / total * part[of], 0) / v;
  return [mean("dx"), mean("dy")];
}

claim(
  "the plane's arrows are the fields of the formulas: the score, the reverse SDE's drift and the flow's velocity",
  wasmOnly,
  async (check) => {
    const worker = await new Conversation().open();
    const request = {
      shape: mixture,
      particles: 50,
      steps: 20,
      stepSize: 0.02,
      distance: "energy",
      seed: 1,
    } as const;
    const { steps, end } = await worker.job("plane", request);
    check.equal("end", end.kind, "done", "the protocol");
    check.equal("states", steps.length, 21, "the start, and 20 steps");
    const [first, middle] = [steps[0], steps[10]] as PlaneStep[];
    check.equal("the start of all ways", [first.particles.reverse, first.particles.flow], [
      first.particles.langevin,
      first.particles.langevin,
    ], "the same noise");
    const t = middle.time;
    const integral = 0.1 * t + (20 - 0.1) * t ** 2 / 2;
    const beta = 0.1 + (20 - 0.1) * t;
    const [m, variance] = [Math.exp(-integral / 2), 1 - Math.exp(-integral)];
    let worst = { langevin: 0, reverse: 0, flow: 0 };
    for (let i = 0; i < 13 * 13; i++) {
      const at = (k: number) => 3 * ((2 * k + 1) / 13 - 1);
      const [x, y] = [at(i % 13), at(Math.floor(i / 13))];
      const still = mixtureScore(x, y, 1, 0.4 ** 2 + 0.01 ** 2);
      const score = mixtureScore(x, y, m, m ** 2 * 0.4 ** 2 + variance);
      for (const [axis, place] of [x, y].entries()) {
        const expected = {
          langevin: still[axis],
          reverse: beta * (place / 2 + score[axis]),
          flow: beta * (place / 2 + score[axis] / 2),
        };
        const off = (way: keyof typeof expected) =>
          Math.max(worst[way], Math.abs(middle.fields[way].arrows[2 * i + axis] - expected[way]));
        worst = { langevin: off("langevin"), reverse: off("reverse"), flow: off("flow") };
      }
    }
    check.atMost("score, of up to 27", worst.langevin, 1e-2, "float32: ε̂/ν at ν = 0.01 loses two digits");
    check.atMost(
      `reverse drift at t = ${t}`,
      worst.reverse,
      1e-3,
      "Song et al. 2021, eq. 6 with eq. 32's β(t)",
    );
    check.atMost(`velocity at t = ${t}`, worst.flow, 1e-3, "Song et al. 2021, eq. 13");
    const field = await worker.job("field", mixture);
    const { density } = valueOf<Field>(field.end);
    const highest = density.indexOf(255);
    const centre = (k: number) => 3 * ((2 * k + 1) / 48 - 1);
    const [x, y] = [centre(highest % 48), centre(Math.floor(highest / 48))];
    check.atMost(
      "distance of the densest cell from the heavier mode",
      Math.hypot(x - 1.2, y - 1.2),
      0.09,
      "half a cell's diagonal",
    );
  },
);

claim(
  "Langevin dynamics with a step too long for a shape is infinitely far, and the run goes on",
  wasmOnly,
  async (check) => {
    const worker = await new Conversation().open();
    const shape = { kind: "banana", width: 1, bend: 1 } as const;
    const request = { shape, particles: 100, steps: 40, stepSize: 0.2, distance: "sliced", seed: 1 } as const;
    const { steps, end } = await worker.job("plane", request);
    check.equal("end", end.kind, "done", "the other ways have ended well");
    const { distances } = steps[steps.length - 1] as PlaneStep;
    check.equal("its distance", distances!.langevin, Infinity, "the scores of a banana grow as the cube");
    check.atMost("the flow's", distances!.flow, 1, "it solves an equation of its own");
  },
);

claim(
  "particles of the reverse SDE and of the flow end as near the truth as exact samples are",
  wasmOnly,
  async (check) => {
    const worker = await new Conversation().open();
    for (const shape of [mixture, { kind: "banana", width: 1, bend: 0.7 } as const]) {
      const request = {
        shape,
        particles: 400,
        steps: 100,
        stepSize: 0.02,
        distance: "energy",
        seed: 2,
      } as const;
      const { steps, end } = await worker.job("plane", request);
      const { floor } = valueOf<{ floor: { mean: number; std: number } }>(end);
      const { distances } = steps[steps.length - 1] as PlaneStep;
      // The floor's standard deviation comes from eight pairs, so that the bound is broad; noise itself is 0.2 to 0.5 away.
      for (const way of ["reverse", "flow"] as const) {
        check.atMost(
          `${shape.kind}, ${way}`,
          distances![way],
          floor.mean + 8 * floor.std,
          "eight standard deviations",
        );
      }
      // Noise is nearer to a banana, too near to be told from it by as many particles.
      if (shape.kind === "banana") continue;
      const start = (steps[0] as PlaneStep).distances!;
      check.atLeast("noise", start.flow, floor.mean + 8 * floor.std, "the start is another distribution");
    }
  },
);

claim(
  "a job that is stopped ends between two steps, one that waits never starts, and the next one runs",
  wasmOnly,
  async (check) => {
    const worker = await new Conversation().open();
    const long = { ...drawing, sampler: "ddim", steps: 1000 };
    const start = (job: number, request: unknown) => ({ kind: "start", job, what: "draw", request });
    await worker.ask(start(101, long), ({ kind }) => kind === "step");
    worker.send(start(102, long));
    worker.send(start(103, drawing));
    worker.send({ kind: "stop", job: 102 });
    worker.send({ kind: "stop", job: 999 });
    await worker.ask({ kind: "stop", job: 101 }, ({ kind }) => kind === "done");
    const of = (job: number) =>
      worker.said.flatMap((said) => "job" in said && said.job === job ? [said.kind] : []);
    check.equal("the last word of the first", of(101).at(-1), "stopped", "the protocol");
    check.atMost("its steps", of(101).length, 20, "it was to take a thousand");
    check.equal("the second", of(102), ["stopped"], "it was stopped before its turn");
    check.equal("the third", of(103), ["step", "step", "step", "step", "done"], "its three steps");
  },
);

claim(
  "jobs leave no tensors behind, whether they end, fail or are stopped",
  wasmOnly,
  async (check) => {
    const worker = await new Conversation().open();
    const image = seven();
    const mask = leftHalf();
    const [count, seed] = [2, 1];
    const plane = { particles: 50, steps: 10, stepSize: 0.005, distance: "sliced", seed } as const;
    const jobs: readonly (readonly [what: JobKind, request: unknown, stopAt?: number])[] = [
      ["draw", { ...drawing, count }],
      ["draw", { ...drawing, count, sampler: "predictor-corrector", steps: 6 }, 2],
      ["draw", { ...drawing, count, label: 12 }],
      ["complete", { image, mask, method: "pigdm", steps: 3, count, seed }],
      ["complete", { image, mask, method: "mmps", steps: 3, count, seed }, 1],
      ["complete", { image, mask, method: "repaint", steps: 3, count, seed }, 1],
      ["complete", { image, mask, method: "dps", steps: 2, count, seed }, 1],
      ["colour", { image, steps: 3, count, seed }, 1],
      ["plane", { shape: mixture, ...plane }],
      ["plane", { shape: { kind: "banana", width: 1, bend: 1 }, ...plane }, 4],
      ["field", mixture],
      ["bits", { image, method: "flow", steps: 4, seed }, 6],
      ["bits", { image, method: "bound", steps: 4, seed }, 6],
    ];
    for (const [what, request, stopAt] of jobs) {
      const counts: number[] = [];
      for (const job of [201, 202]) {
        let steps = 0;
        await worker.ask({ kind: "start", job, what, request }, (said) => {
          if (said.kind === "step" && ++steps === stopAt) worker.send({ kind: "stop", job });
          return ended(said);
        });
        counts.push(tf.memory().numTensors);
      }
      const how = stopAt === undefined ? "to its end" : `stopped at step ${stopAt}`;
      check.equal(
        `${what} ${how}: tensors after it, once and twice`,
        counts[1],
        counts[0],
        "networks are kept",
      );
    }
  },
);

claim(
  "a worker of its own hears that a run is to stop while it runs",
  wasmOnly,
  async (check) => {
    const url = new URL("../../../site/worker/worker.ts", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    const kinds: string[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }: MessageEvent<ToPage>) => {
          kinds.push(data.kind);
          if (data.kind === "step") worker.postMessage({ kind: "stop", job: 1 });
          if (ended(data)) resolve();
        };
        worker.postMessage({ kind: "open", engine: "wasm" });
        const request = { ...drawing, sampler: "ddim", steps: 400 };
        worker.postMessage({ kind: "start", job: 1, what: "draw", request });
      });
    } finally {
      worker.terminate();
    }
    check.equal("first and last word", [kinds[0], kinds.at(-1)], ["opened", "stopped"], "the protocol");
    check.atMost("steps", kinds.length - 2, 100, "it was to take four hundred");
  },
);

claim(
  "a message or a request that is wrong is answered with one sentence, and the worker goes on",
  wasmOnly,
  async (check) => {
    const before = new Conversation();
    const early = await before.job("draw", drawing);
    check.equal("a job before an engine", early.end, {
      kind: "failed",
      job: 1,
      message: "a job needs an engine, and none is open",
    }, "the protocol");
    const worker = await new Conversation().open();
    const start = (what: unknown, request: unknown) => ({ kind: "start", job: 5, what, request });
    const image = seven();
    const plane = { shape: mixture, particles: 50, steps: 10, stepSize: 0.02, distance: "energy", seed: 1 };
    const wrong: readonly (readonly [message: unknown, sentence: RegExp])[] = [
      [null, /^a message must be an object, got null$/],
      ["draw", /^a message must be an object, got draw$/],
      [{ kind: "begin" }, /^a message's kind must be open, start or stop, got begin$/],
      [{ kind: "start", job: 0.5 }, /^a job's number must be whole, got 0.5$/],
      [{ kind: "stop" }, /^a job's number must be whole, got undefined$/],
      [start("film", {}), /^a job must be one of draw, complete, colour, field, plane, bits, got film$/],
      [start("toString", {}), /^a job must be one of/],
      [start("draw", null), /^the request of draw must be an object, got null$/],
      [start("draw", { ...drawing, seed: undefined }), /^the request of draw has no seed$/],
      [
        start("draw", { ...drawing, steps: 1e6 }),
        /^steps must be a whole number from 1 to 1000, got 1000000$/,
      ],
      [start("draw", { ...drawing, count: 17 }), /^count must be a whole number from 1 to 16, got 17$/],
      [start("draw", { ...drawing, steps: 9 }), /default ratios for at most 4 steps, got 9/],
      [
        start("draw", { ...drawing, sampler: "euler" }),
        /^sampler must be one of euler-maruyama, .*got "euler"$/,
      ],
      [
        start("draw", { ...drawing, sde: "ddpm" }),
        /^the SDEs are ve, vp, subvp, sigma-power, flow, edm, got ddpm$/,
      ],
      [start("draw", { ...drawing, label: 10 }), /10/],
      [start("draw", { ...drawing, seed: -1 }), /^seed must be an integer from 0/],
      [
        start("complete", {
          image: image.subarray(1),
          mask: leftHalf(),
          method: "pigdm",
          steps: 5,
          count: 1,
          seed: 1,
        }),
        /^image must be 784 bytes$/,
      ],
      [
        start("complete", { image, mask: image, method: "pigdm", steps: 5, count: 1, seed: 1 }),
        /^a mask holds 0 and 1$/,
      ],
      [start("plane", { ...plane, particles: 1e9 }), /^particles must be a whole number from 1 to 1000/],
      [start("plane", { ...plane, shape: { kind: "mixture", modes: [], spread: 1 } }), /component/],
    ];
    for (const [message, sentence] of wrong) {
      const answer = await worker.ask(message, ended);
      const said = answer.kind === "failed" ? answer.message : answer.kind;
      check.holds(`${said}`, sentence.test(said), "the value and what is allowed");
    }
    const { end } = await worker.job("draw", drawing);
    check.equal("a job after them", end.kind, "done", "the worker goes on");
    const refused = await worker.ask({ kind: "open", engine: "cuda" }, ({ kind }) => kind === "unopened");
    check.holds(
      JSON.stringify(refused),
      /engine must be one of/.test(JSON.stringify(refused)),
      "useEngine's sentence",
    );
  },
);
