/** Claims about the features of the Fréchet distance between images of any kind. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { patchStatistics } from "../../../src/metrics/pooled_features.ts";
import { claim } from "../../suite/claim.ts";

claim("pooled features are the means and standard deviations of each channel's patches", async (check) => {
  const values = createRng(check.seed).uniformValues([2 * 5 * 4 * 3]).map((u) => Math.floor(256 * u));
  const images = Uint8Array.from(values);
  const set = {
    name: "x",
    count: 2,
    shape: [5, 4, 3],
    classes: 1,
    images,
    labels: new Uint8Array(2),
  } as const;
  const { features, dimension } = patchStatistics(set, 2);
  check.equal("dimension", [dimension, features.length], [24, 48], "2 · 2² · 3 for each of two images");
  // Rows 2 … 4 and columns 0 … 1 of the second image, green.
  const part = [2, 3, 4].flatMap((y) => [0, 1].map((x) => images[60 + (4 * y + x) * 3 + 1] / 255));
  const mean = part.reduce((sum, value) => sum + value, 0) / 6;
  const deviation = Math.sqrt(part.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 6);
  const at = 24 + (2 * 3 + 1) * 2;
  check.within("mean", features[at], mean, 1e-12, "by its definition, rounding apart");
  check.within(
    "standard deviation",
    features[at + 1],
    deviation,
    1e-7,
    "by its definition, rounding under a root apart",
  );
  check.equal("four parts a side by default", patchStatistics(set).dimension, 96, "2 · 4² · 3");
  check.equal("as many parts as rows or columns", patchStatistics(set, 1).dimension, 6, "2 · 3");
  await check.throws("no part", () => patchStatistics(set, 0), /have 1 to 4 parts a side, got 0/);
  await check.throws("half a part", () => patchStatistics(set, 1.5), /have 1 to 4 parts a side, got 1.5/);
  await check.throws(
    "too many parts",
    () => patchStatistics(set, 5),
    /images of 5×4 have 1 to 4 parts a side, got 5/,
  );
});
