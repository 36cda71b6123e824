/** The panel that colours a grey digit. @module */
import type { ImagesStep } from "../protocol.ts";
import { labels } from "../settings/panels.ts";
import { bytesOfLevels, levelsOfBytes, PIXELS } from "../settings/pixels.ts";
import { ink } from "./brush.ts";
import { Controls } from "./controls.ts";
import { fillSelect, found, part } from "./elements.ts";
import { Pad } from "./pad.ts";
import { newSeed, type Panel, type PanelParts } from "./panel.ts";
import { picture, showRow } from "./pixels.ts";
import { duration, Run } from "./run.ts";
import { Scrubber } from "./scrubber.ts";
import { sourceDigit } from "./source_digit.ts";

/** How many colourings. */
const COUNT = 5;

/** Makes the panel. */
export function colourPanel({ section, client, fields, changed }: PanelParts<"colour">): Panel<"colour"> {
  const form = found<HTMLFormElement>(section, "form");
  const run = new Run(section, client);
  /** How much of each pixel the pen covers, as bytes. */
  let image: Uint8Array = new Uint8Array(PIXELS);
  let steps: ImagesStep[] = [];
  const scrubber = new Scrubber(part(section, "scrubber"), (index) => {
    const { step, steps: all, images, channels } = steps[index];
    showRow(part(section, "images"), images, channels, "Colouring");
    return `step ${step} of ${all}`;
  });
  fillSelect(found(form, "[name=label]"), labels.map((label) => [label, label]));

  const pad = new Pad(part(section, "pad"), {
    name: "The grey digit",
    paint(place) {
      const levels = levelsOfBytes(image);
      ink(levels, place);
      image = bytesOfLevels(levels);
      showPad();
    },
    ended: () => controls.patch({ image: levelsOfBytes(image) }),
  });

  let shown: { label: string; from: number } = { label: "", from: -1 };
  let before = fields.seed.default;
  const controls = new Controls(form, fields, (values) => {
    changed(values);
    if (values.label !== shown.label || values.from !== shown.from) openDigit(true);
    else if (values.seed !== before) start();
    before = values.seed;
    showPad();
  }, (sentence) => run.say(sentence ?? ""));

  /** The bytes of the digit in the two greys that are chosen. */
  function grey(): Uint8Array {
    const { paper, pen } = controls.values;
    return Uint8Array.from(image, (byte) => Math.round(255 * paper + byte * (pen - paper)));
  }

  function showPad(): void {
    pad.show(picture(grey(), 0, 1));
  }

  async function openDigit(anew: boolean): Promise<void> {
    const { label, from, image: own } = controls.values;
    shown = { label, from };
    if (own !== null && !anew) {
      image = bytesOfLevels(own);
      return showPad();
    }
    if (own !== null) controls.patch({ image: null });
    run.say("The network draws the digit…");
    const result = await run.start("draw", sourceDigit(label, from), ({ state }) => image = state);
    // The consistency network leaves a little noise on the ground, which would be coloured, too.
    image = image.map((byte) => byte < 20 ? 0 : byte);
    showPad();
    if (result !== null) run.say("Choose the greys, then colour it.");
  }

  async function start(): Promise<void> {
    const { steps: count, seed } = controls.values;
    steps = [];
    scrubber.reset();
    run.say("Colouring…");
    const result = await run.start("colour", { image: grey(), steps: count, count: COUNT, seed }, (value) => {
      steps.push(value);
      scrubber.add(value.step === value.steps);
    });
    if (result === null) return;
    const total = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    run.say(`Five colourings in ${duration(total)}, ${duration(total / count)} a step.`);
  }

  form.addEventListener("submit", () => start());
  part(section, "again").addEventListener("click", () => controls.patch({ seed: newSeed() }));
  part(section, "clear").addEventListener("click", () => {
    image = new Uint8Array(PIXELS);
    controls.patch({ image: new Uint8Array(PIXELS) });
  });
  return {
    show(values) {
      controls.set(values);
      before = values.seed;
      openDigit(false);
    },
    leave: () => run.stop(),
  };
}
