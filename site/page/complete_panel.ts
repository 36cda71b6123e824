/** The panel that completes a digit of which a part is erased. @module */
import type { ImagesStep } from "../protocol.ts";
import { labels, methods } from "../settings/panels.ts";
import { bytesOfLevels, levelsOfBytes, PIXELS, SIDE } from "../settings/pixels.ts";
import { ink, wipe } from "./brush.ts";
import { Controls } from "./controls.ts";
import { fillSelect, found, part } from "./elements.ts";
import { Pad } from "./pad.ts";
import { newSeed, type Panel, type PanelParts } from "./panel.ts";
import { picture, showRow } from "./pixels.ts";
import { duration, Run } from "./run.ts";
import { Scrubber } from "./scrubber.ts";
import { sourceDigit } from "./source_digit.ts";

/** How many completions. */
const COUNT = 5;

/** What each method is called. */
const METHOD_WORDS: Readonly<Record<(typeof methods)[number], string>> = {
  pigdm: "posterior score, ΠGDM",
  mmps: "posterior score, moment matching",
  tmpd: "posterior score, TMPD",
  dps: "DPS",
  diffpir: "DiffPIR",
  twisted: "twisted, four particles each",
  repaint: "RePaint, five times a step",
  replacement: "replacement",
};

/** What a choice of "Erase" hides; u and v go from 0 to 1. */
const PRESETS: Readonly<Record<string, (u: number, v: number) => boolean>> = {
  left: (u) => u < 0.5,
  right: (u) => u > 0.5,
  top: (_, v) => v < 0.5,
  bottom: (_, v) => v > 0.5,
  centre: (u, v) => Math.abs(u - 0.5) < 0.25 && Math.abs(v - 0.5) < 0.25,
  none: () => false,
};

/** The mask of a rule. */
function maskOf(hidden: (u: number, v: number) => boolean): Uint8Array {
  return Uint8Array.from(
    { length: PIXELS },
    (_, at) => hidden((at % SIDE + 0.5) / SIDE, (Math.floor(at / SIDE) + 0.5) / SIDE) ? 1 : 0,
  );
}

/** The choice of "Erase" that hides what a mask hides; empty for none of them. */
function presetOf(mask: Uint8Array): string {
  const same = ([, hidden]: [string, (typeof PRESETS)[string]]) =>
    maskOf(hidden).every((value, at) => value === mask[at]);
  return Object.entries(PRESETS).find(same)?.[0] ?? "";
}

/** Makes the panel. */
export function completePanel(
  { section, client, fields, changed }: PanelParts<"complete">,
): Panel<"complete"> {
  const form = found<HTMLFormElement>(section, "form");
  const preset = part<HTMLSelectElement>(section, "preset");
  const run = new Run(section, client);
  let image: Uint8Array = new Uint8Array(PIXELS);
  let mask: Uint8Array = new Uint8Array(PIXELS);
  let drawn = false;
  let steps: ImagesStep[] = [];
  const scrubber = new Scrubber(part(section, "scrubber"), (index) => {
    const { step, steps: all, images, channels } = steps[index];
    showRow(part(section, "images"), images, channels, "Completion");
    return `step ${step} of ${all}`;
  });
  fillSelect(found(form, "[name=label]"), labels.map((label) => [label, label]));
  fillSelect(found(form, "[name=method]"), methods.map((method) => [method, METHOD_WORDS[method]]));

  const pad = new Pad(part(section, "pad"), {
    name: "The digit",
    paint(place) {
      const tool = found<HTMLInputElement>(section, "[name=complete-tool]:checked").value;
      if (tool === "ink") {
        const levels = levelsOfBytes(image);
        ink(levels, place);
        image = bytesOfLevels(levels);
        drawn = true;
      } else {
        wipe(mask, place, tool === "erase" ? 1 : 0);
      }
      preset.value = "";
      showPad();
    },
    ended: () => controls.patch({ mask: mask.slice(), ...drawn && { image: levelsOfBytes(image) } }),
  });

  function showPad(): void {
    const pixels = picture(image, 0, 1);
    for (let at = 0; at < PIXELS; at++) {
      if (mask[at] === 0) continue;
      const light = (at + Math.floor(at / SIDE)) % 2 === 0 ? 8 : 0;
      pixels.data.set([52 + light, 78 + light, 104 + light], 4 * at);
    }
    pad.show(pixels);
  }

  let before = fields.seed.default;
  const controls = new Controls(form, fields, (values) => {
    changed(values);
    if (values.label !== shown.label || values.from !== shown.from) openDigit(true);
    else if (values.seed !== before) start();
    before = values.seed;
  }, (sentence) => run.say(sentence ?? ""));
  /** The digit that is on the board. */
  let shown: { label: string; from: number } = { label: "", from: -1 };

  /** Puts the digit of the settings on the board. */
  async function openDigit(anew: boolean): Promise<void> {
    const { label, from, image: own } = controls.values;
    shown = { label, from };
    if (own !== null && !anew) {
      image = bytesOfLevels(own);
      drawn = true;
      return showPad();
    }
    if (own !== null) controls.patch({ image: null });
    drawn = false;
    run.say("The network draws the digit…");
    const result = await run.start("draw", sourceDigit(label, from), ({ state }) => image = state);
    showPad();
    if (result !== null) run.say("Erase what you like, then complete it.");
  }

  async function start(): Promise<void> {
    const { method, steps: count, seed } = controls.values;
    steps = [];
    scrubber.reset();
    run.say("Completing…");
    const request = { image, mask, method, steps: count, count: COUNT, seed };
    const result = await run.start("complete", request, (value) => {
      steps.push(value);
      scrubber.add(value.step === value.steps);
    });
    if (result === null) return;
    const total = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    run.say(`Five completions in ${duration(total)}, ${duration(total / count)} a step.`);
  }

  preset.addEventListener("change", () => {
    const hidden = PRESETS[preset.value];
    if (hidden === undefined) return;
    mask = maskOf(hidden);
    showPad();
    controls.patch({ mask: mask.slice() });
  });
  form.addEventListener("submit", () => start());
  part(section, "again").addEventListener("click", () => controls.patch({ seed: newSeed() }));
  return {
    show(values) {
      controls.set(values);
      before = values.seed;
      mask = (values.mask ?? new Uint8Array(PIXELS)).slice();
      preset.value = presetOf(mask);
      openDigit(false);
    },
    leave: () => run.stop(),
  };
}
