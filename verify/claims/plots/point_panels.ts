/** Claims about clouds of points side by side. @module */
import { pointPanels } from "../../../src/plots/point_panels.ts";
import { claim } from "../../suite/claim.ts";

claim(
  "clouds of points have the axes of the first, and say how many of their points lie outside",
  async (check) => {
    const first = { title: "data", points: [0, 0, 12, 24] };
    const svg = pointPanels([first, { title: "samples", points: [6, 12, 13.1, 0, 6, -2.1, 0, 24] }], [
      "mass",
      "time",
    ]);
    check.holds(
      "outside",
      svg.includes(">samples (2 outside)<"),
      "a margin of a twelfth: 13.1 > 12 + 1, −2.1 < −2",
    );
    check.holds("inside", svg.includes(">data<"), "nothing of the first");
    check.equal("labels", [svg.split(">mass<").length, svg.split(">time<").length], [3, 3], "on both panels");
    await check.throws(
      "no cloud",
      () => pointPanels([], ["x", "y"]),
      /^at least one cloud of points is needed, got none$/,
    );
    await check.throws(
      "no points",
      () => pointPanels([{ title: "t", points: [] }], ["x", "y"]),
      /^a cloud must hold points of two coordinates, got 0 values$/,
    );
  },
);
