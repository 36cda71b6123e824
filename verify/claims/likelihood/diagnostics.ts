/**
 * What a likelihood tells beside its mean: the error of its estimate, the evaluations it took; and the noise that spreads bytes.
 * @module
 */
import { createRng } from "../../../src/compute/rng.ts";
import * as tf from "../../../src/compute/tf.ts";
import { type ScoreModel, scoreModel } from "../../../src/diffusion/noise_predictor.ts";
import { dequantize, type ValueRange } from "../../../src/likelihood/dequantization.ts";
import { Gaussian } from "../../../src/distributions/gaussian.ts";
import { logLikelihood } from "../../../src/likelihood/log_likelihood.ts";
import type { FlowMethod } from "../../../src/likelihood/probability_flow.ts";
import { vpSde } from "../../../src/diffusion/sde.ts";
import { type Area, claim } from "../../suite/claim.ts";
import { scoped } from "../../instruments/tensor_scope.ts";
import { checkMean, checkUniform } from "../../instruments/statistics.ts";

/** Where these claims are examined. */
export const area: Area = { webgpu: "thorough" };

const problem = new Gaussian({ mean: [0, 1, 0], covariance: [[1, 0.5, 0.2], [0.5, 2, 0], [0.2, 0, 0.3]] });
const model = scoreModel(problem, vpSde());
const method: FlowMethod = { kind: "rk4", grid: { kind: "log-snr", steps: 4 } };

claim(
  "the standard error is that of the probes, 0 for an exact trace and unknown for one probe",
  async (check) => {
    const x = createRng(1).normal([2, 3]);
    for (const distribution of ["rademacher", "gaussian"] as const) {
      const probes = 5;
      const together = await logLikelihood(model, x, {
        trace: { rng: createRng(3), probes, distribution },
        method,
      });
      const alone: Float64Array[] = [];
      for (let probe = 0; probe < probes; probe++) {
        const rng = createRng(3);
        // The draws of the probes before.
        for (let i = 0; i < probe; i++) rng.normalValues(x.shape);
        const single = await logLikelihood(model, x, { trace: { rng, distribution }, method });
        alone.push(single.logDensity);
        check.holds(
          `${distribution}, probe ${probe + 1}: no standard error`,
          single.standardError.every(Number.isNaN),
          "one value has no spread",
        );
      }
      for (let row = 0; row < 2; row++) {
        const values = alone.map((densities) => densities[row]);
        const mean = values.reduce((sum, value) => sum + value) / probes;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (probes - 1);
        const expected = Math.sqrt(variance / probes);
        check.within(
          `${distribution}, row ${row}: mean`,
          together.logDensity[row],
          mean,
          1e-6,
          "of the single probes; float32",
        );
        check.within(
          `${distribution}, row ${row}: standard error`,
          together.standardError[row],
          expected,
          1e-6,
          "s/√n over the single probes",
          {
            detectable: "n for n − 1: a tenth",
          },
        );
      }
    }
    const exact = await logLikelihood(model, x, { method });
    check.equal("exact trace", [...exact.standardError], [0, 0], "nothing is estimated");
    x.dispose();
  },
);

claim("the reported NFE equals the calls made, and no tensors leak", async (check) => {
  const x = createRng(1).normal([2, 3]);
  for (const kind of ["rk4", "dopri5"] as const) {
    let calls = 0;
    const counted: ScoreModel = {
      ...model,
      predictedNoise: (x, t) => {
        calls++;
        return model.predictedNoise(x, t);
      },
    };
    const before = tf.memory().numTensors;
    const trace = { rng: createRng(2), probes: 1 };
    const used: FlowMethod = kind === "rk4" ? method : { kind, rtol: 1e-2, atol: 1e-2 };
    const { evaluations } = await logLikelihood(counted, x, { trace, method: used });
    check.equal(`${kind}: evaluations`, evaluations, calls, "counted at the model, one probe");
    if (kind === "rk4") check.equal("rk4: evaluations of 4 steps", evaluations, 16, "four a step");
    check.equal(
      `${kind}: tensors left`,
      tf.memory().numTensors - before,
      0,
      "the caller's x is all there is",
    );
  }
  x.dispose();
});

claim(
  "uniform dequantization spreads a byte evenly over its own bin, each pixel by itself",
  async (check) => {
    const [rows, size] = [20, 500];
    const bytes = Uint8Array.from({ length: rows * size }, (_, i) => i % 4);
    for (
      const range of [{ low: 0, high: 4, levels: 4 }, { low: -1, high: 1, levels: 4 }] satisfies ValueRange[]
    ) {
      const width = (range.high - range.low) / range.levels;
      const x = await scoped(() =>
        dequantize(bytes, [rows, size], createRng(check.seed), range).data<"float32">()
      );
      const places = Float64Array.from(x, (value, i) => (value - range.low) / width - bytes[i]);
      const name = `[${range.low}, ${range.high}]`;
      checkUniform(check, `${name}: places in the bin`, places, "Theis et al. 2016: u ~ U(0, 1)");
      const n = places.length;
      const centred = places.map((u) => Math.sqrt(12) * (u - 0.5));
      for (const [what, shift] of [["pixels", 1], ["images", size]] as const) {
        const product = centred.reduce((sum, u, i) => sum + u * centred[(i + shift) % n], 0) / n;
        checkMean(check, `${name}: neighbouring ${what}`, product, 0, 1, n, "independent");
      }
      const half = await scoped(() =>
        dequantize(bytes.subarray(10 * size), [10, size], createRng(check.seed).startingAt(10), range).data<
          "float32"
        >()
      );
      check.equal(`${name}: the second half alone`, half, x.slice(10 * size), "a stream to each image");
    }
  },
);
