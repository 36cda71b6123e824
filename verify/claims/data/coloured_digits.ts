/** Claims about digits in colours. @module */
import { createRng } from "../../../src/compute/rng.ts";
import { colourDigits, colouredDigits, digitColours } from "../../../src/data/coloured_digits.ts";
import { proceduralDigits } from "../../../src/data/digits.ts";
import { claim } from "../../suite/claim.ts";
import { checkMean, checkProportion } from "../../instruments/statistics.ts";

claim("coloured digits are the grey ones, blended between two colours", async (check) => {
  const rng = createRng(check.seed);
  const grey = proceduralDigits(20, rng);
  const coloured = colouredDigits(20, rng);
  check.equal("shape", coloured.shape, [28, 28, 3], "red, green, blue");
  check.equal("classes", [coloured.labels, coloured.classes], [grey.labels, 10], "a colour changes no class");
  const colours = digitColours(20, rng);
  let most = 0;
  coloured.images.forEach((byte, at) => {
    const [digit, pixel, channel] = [Math.floor(at / 2352), Math.floor(at / 3), at % 3];
    const share = grey.images[pixel] / 255;
    const blend = share * colours[6 * digit + channel] + (1 - share) * colours[6 * digit + 3 + channel];
    most = Math.max(most, Math.abs(byte - 255 * blend));
  });
  check.atMost("largest distance of a byte from its blend", most, 0.5 + 1e-9, "rounded to the nearest");
  const tail = colouredDigits(5, rng.startingAt(15)).images;
  check.equal("the last five alone", tail, coloured.images.slice(15 * 2352), "digit i is sample i's");
  check.equal(
    "again",
    colouredDigits(20, rng).images,
    coloured.images,
    "all randomness comes from the generator",
  );
  await check.throws("coloured twice", () => colourDigits(coloured, colours), /only grey digits/);
  await check.throws(
    "too few colours",
    () => colourDigits(grey, colours.slice(6)),
    /need 120 colour values, got 114/,
  );
});

claim("the colours are uniform in the cube, given the contrast", (check) => {
  const count = 20_000;
  const colours = digitColours(count, createRng(check.seed));
  const grey = (at: number) => (colours[at] + colours[at + 1] + colours[at + 2]) / 3;
  const contrasts = Array.from({ length: count }, (_, i) => Math.abs(grey(6 * i) - grey(6 * i + 3)));
  const least = Math.min(...contrasts);
  check.atLeast("least contrast", least, 0.25, "a quarter of the way from black to white");
  check.atMost(
    "least contrast of so many",
    least,
    0.26,
    "a density above 1 there leaves none in (1 - 0.01)^20000",
  );
  check.holds("all in [0, 1]", colours.every((value) => value >= 0 && value <= 1), "the cube");
  const source = "exchanging channels, or colours, or c for 1 − c, changes neither the cube nor the contrast";
  const share = (holds: (start: number) => boolean) =>
    Array.from({ length: count }, (_, i) => holds(6 * i)).filter((held) => held).length;
  checkProportion(check, "red above green", share((at) => colours[at] > colours[at + 1]), count, 0.5, source);
  checkProportion(
    check,
    "ground's blue above a half",
    share((at) => colours[at + 5] > 0.5),
    count,
    0.5,
    source,
  );
  checkProportion(
    check,
    "digit brighter than ground",
    share((at) => grey(at) > grey(at + 3)),
    count,
    0.5,
    source,
  );
  // Given a grey below ⅓ a colour is uniform on the triangle r + g + b = 3 grey, so r's share of the sum has the distribution Beta(1, 2): its
  // squared distance from ⅓ has the mean 1/18 and the second moment 1/135.
  const dark = Array.from({ length: 2 * count }, (_, i) => 3 * i).filter((at) => grey(at) < 1 / 3);
  const squares = dark.map((at) => (colours[at] / (3 * grey(at)) - 1 / 3) ** 2);
  const observed = squares.reduce((sum, value) => sum + value, 0) / dark.length;
  const std = Math.sqrt(1 / 135 - 1 / 324);
  checkMean(
    check,
    "spread of red in dark colours",
    observed,
    1 / 18,
    std,
    dark.length,
    "uniform on a triangle",
  );
});
