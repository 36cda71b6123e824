/** Claims about the W₂ errors on the CIFAR-10 Gaussian. @module */
import {
  publishedErrors,
  spectrumNodes,
  spectrumWeights,
} from "../../../src/conformance/cifar10_spectrum.ts";
import { conform } from "../../../src/conformance/conform.ts";
import reference from "../../../fixtures/reference/gaussian_cifar10.json" with { type: "json" };
import { eulerMaruyamaUnderTest } from "../../problems/samplers_under_test.ts";
import { claim } from "../../suite/claim.ts";

claim("sums over the spectrum's nodes are those over CIFAR-10's 3,072 eigenvalues", (check) => {
  for (const noise of [1e-4, 1e-2, 1]) {
    // The error of a sampler that leaves noise, and takes a fraction of the data's spread.
    const error = (value: number) => (Math.sqrt(0.98 * value + noise) - Math.sqrt(value)) ** 2;
    const exact = reference.eigenvalues.reduce((sum, value) => sum + error(Math.max(0, value)), 0);
    const ours = spectrumNodes.reduce((sum, node, k) => sum + spectrumWeights[k] * error(node), 0);
    check.within(
      `W₂² with noise ${noise}, over the exact`,
      ours / exact,
      1,
      3e-3,
      "the eigenvalues in fixtures/reference",
    );
  }
  check.within(
    "weights",
    spectrumWeights.reduce((sum, weight) => sum + weight),
    3072,
    1e-6,
    "one for each eigenvalue",
  );
  const cells = reference.cells.filter(({ epsilon, nfe }) => epsilon === 1e-3 && nfe !== 500);
  const kept = publishedErrors.flatMap(({ scheme, errors }) =>
    Object.entries(errors).map(([nfe, w2]) => `${scheme} ${nfe} ${w2}`)
  );
  check.equal(
    "published errors",
    kept.toSorted(),
    cells.map(({ scheme, nfe, w2 }) => `${scheme} ${nfe} ${w2}`).toSorted(),
    "Pierret & Galerne 2025, Table 5",
  );
});

claim("Euler–Maruyama's W₂ errors are those that Pierret & Galerne publish", async (check) => {
  const { properties } = await conform(eulerMaruyamaUnderTest(), { only: ["wasserstein_cifar10"] });
  const found = properties.find(({ name }) => name === "wasserstein_cifar10")!;
  check.within(
    "W₂ at 50 evaluations",
    found.value ?? NaN,
    4.68,
    0.005,
    "Pierret & Galerne 2025, Table 5: EM",
  );
  check.holds("both columns match", /as published for EM$/.test(found.observed), "4.68 and 0.70");
});
