/** Song's quadratic choice of DDPM's steps. @module */
import { discreteDdpm } from "../../../src/diffusion/sde.ts";
import { linearBetas } from "../../../src/diffusion/beta_schedule.ts";
import { timeGrid } from "../../../src/diffusion/time_grid.ts";
import { ddimQuadraticIndices } from "../../../src/external/timesteps.ts";
import { claim } from "../../suite/claim.ts";

claim("DDIM's quadratic indices are those of the paper's code, from 0.8 N down, each once", async (check) => {
  // numpy 2.4: (np.linspace(0, np.sqrt(N * 0.8), S) ** 2).astype(int), reversed.
  const published = new Map([
    [[1000, 10], [800, 632, 483, 355, 246, 158, 88, 39, 9, 0]],
    [[1000, 20], [800, 718, 640, 567, 498, 434, 374, 319, 268, 221, 179, 141, 108, 79, 55, 35, 19, 8, 2, 0]],
    [[100, 7], [80, 55, 35, 20, 8, 2, 0]],
  ]);
  for (const [[count, evaluations], indices] of published) {
    check.equal(
      `${evaluations} of ${count}`,
      ddimQuadraticIndices(count, evaluations),
      indices,
      "numpy, by the paper's formula",
    );
  }
  const fifty = ddimQuadraticIndices(1000, 50);
  check.equal("50 of 1000: first, last three, number", [fifty[0], ...fifty.slice(-3), fifty.length], [
    800,
    2,
    1,
    0,
    49,
  ], "numpy has 0 twice");
  const times = timeGrid(discreteDdpm(linearBetas()), { kind: "indices", steps: 48, indices: fifty });
  check.equal("the first time", times[0], 0.801, "(index + 1)/N");
  await check.throws("one step", () => ddimQuadraticIndices(1000, 1), /^evaluations must be .*got 1$/);
  await check.throws("more than N", () => ddimQuadraticIndices(10, 11), /^evaluations must be .*got 11$/);
});
