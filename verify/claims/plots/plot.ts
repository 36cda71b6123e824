/** Claims about plots. @module */
import { fitAxis } from "../../../src/plots/axis.ts";
import { histogram } from "../../../src/plots/marks.ts";
import { plot } from "../../../src/plots/plot.ts";
import { claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

claim("a plot puts data where its axes say, on linear and on logarithmic ones", async (check) => {
  const linear = fitAxis([3], { min: 2, max: 6 });
  check.equal(
    "linear place",
    [2, 3, 6].map((value) => linear.fraction(value)),
    [0, .25, 1],
    "(v − min) / (max − min)",
  );
  const log = fitAxis([1], { scale: "log", min: 1e-4, max: 1e4 });
  const places = [1e-4, 1e-2, 1e4].map((value) => log.fraction(value));
  check.equal("logarithmic place", places, [0, .25, 1], "ln(v / min) / ln(max / min)");
  check.holds("zero on a logarithmic axis", !Number.isFinite(log.fraction(0)), "it has no place there");
  const axes = fc.record({
    low: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    width: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
  });
  await checkProperty(check, "ticks", axes, ({ low, width }) => {
    const { ticks, fraction } = fitAxis([], { min: low, max: low + width });
    const inside = ticks.every(({ value }) => fraction(value) >= -1e-6 && fraction(value) <= 1 + 1e-6);
    return inside && ticks.length >= 3 && ticks.length <= 9;
  }, "3 to 9 of them, inside the axis");
  const decades = fitAxis([], { scale: "log", min: 1e-7, max: 1e3 }).ticks.map(({ text }) => text);
  check.equal("ten decades", decades, ["10⁻⁶", "10⁻⁴", "10⁻²", "1", "100"], "every second power");
  const svg = plot([{ kind: "line", x: [0, 1, 2], y: [0, NaN, 2], label: "a<b" }], {
    x: { min: 0, max: 2 },
    y: { min: 0, max: 2 },
    title: "x & y",
  });
  check.holds("text is escaped", svg.includes("a&#60;b") && svg.includes("x &#38; y"), "XML");
  check.equal(
    "pieces of a line interrupted by NaN",
    /<path d="(M[^"]*)" fill="none" stroke="#0072b2"/.exec(svg)?.[1].match(/[ML]/g),
    ["M", "M"],
    "M starts anew",
  );
  const corners = plot([{ kind: "line", x: [0, 2], y: [0, 1] }], {
    x: { min: 0, max: 2 },
    y: { min: 0, max: 1 },
  });
  const ends =
    /<path d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)" fill="none"/.exec(corners)?.slice(1).map(Number) ?? [];
  check.equal(
    "a diagonal from corner to corner",
    ends,
    [62, 274, 466, 12],
    "left 62, bottom 320 − 46, right 480 − 14, top 12",
  );
  await check.throws("a logarithmic axis from 0", () => fitAxis([], { scale: "log", min: 0 }), /cannot be 0/);
  await check.throws(
    "an axis of no width",
    () => fitAxis([], { min: 1, max: 1 }),
    /max must exceed min, got 1 ≤ 1/,
  );
  const uneven = () => plot([{ kind: "points", x: [1, 2], y: [1] }]);
  await check.throws("arrays of two lengths", uneven, /points mark do not belong together: lengths 2, 1/);
});

claim("a histogram is a density: its areas add up to the share of values in range", (check) => {
  const { edges, heights } = histogram([0, .5, 1, 1.5, 2, 5], { bins: 4, range: [0, 2] });
  check.equal("edges", [...Array.from(edges)], [0, .5, 1, 1.5, 2], "equal widths");
  const counts = Array.from(heights, (height) => height * 6 * .5);
  check.atMost(
    "counts from 1, 1, 1, 2",
    Math.max(...counts.map((n, i) => Math.abs(n - [1, 1, 1, 2][i]))),
    1e-12,
    "the upper end belongs to the last bin; 5 lies outside",
  );
});
