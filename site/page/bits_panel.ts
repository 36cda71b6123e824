/** The panel that counts the bits of a digit that one draws. @module */
import { bitMethods } from "../settings/panels.ts";
import { bytesOfLevels, PIXELS } from "../settings/pixels.ts";
import { ink, wipe } from "./brush.ts";
import { Controls } from "./controls.ts";
import { fillSelect, found, made, part } from "./elements.ts";
import { Pad } from "./pad.ts";
import type { Panel, PanelParts } from "./panel.ts";
import { picture } from "./pixels.ts";
import { duration, Run } from "./run.ts";

/** Bits per dimension of MNIST's test images under this network, from docs/results.md. */
const MNIST_BITS = 1.13;
/** Bits per dimension of a picture of which nothing is known. */
const NOTHING_KNOWN = 8;

const METHOD_WORDS: Readonly<Record<(typeof bitMethods)[number], string>> = {
  flow: "probability flow",
  bound: "bound by the denoising loss",
};

/** Makes the panel. */
export function bitsPanel({ section, client, fields, changed }: PanelParts<"bits">): Panel<"bits"> {
  const form = found<HTMLFormElement>(section, "form");
  const [number, meaning, scale] = [
    part(section, "number"),
    part(section, "meaning"),
    part(section, "scale"),
  ];
  const progress = part<HTMLProgressElement>(section, "progress");
  const run = new Run(section, client);
  let levels = new Uint8Array(PIXELS);
  fillSelect(found(form, "[name=method]"), bitMethods.map((method) => [method, METHOD_WORDS[method]]));

  const pad = new Pad(part(section, "pad"), {
    name: "The board",
    paint(place) {
      if (found<HTMLInputElement>(section, "[name=bits-tool]:checked").value === "ink") ink(levels, place);
      else wipe(levels, place, 0);
      show();
    },
    ended: () => controls.patch({ image: levels.slice() }),
  });
  const controls = new Controls(form, fields, changed, (sentence) => run.say(sentence ?? ""));

  function show(): void {
    pad.show(picture(bytesOfLevels(levels), 0, 1));
  }

  function answer(words: string, explanation: string, bits: number | null): void {
    number.textContent = words;
    meaning.textContent = explanation;
    scale.hidden = bits === null;
    if (bits === null) return;
    const mark = (value: number, text: string, name: string) => {
      const place = Math.min(100, Math.max(0, 100 * value / NOTHING_KNOWN));
      const label = made("span", { className: `mark ${name}`, textContent: text });
      label.style.left = `${place}%`;
      return label;
    };
    scale.replaceChildren(
      mark(bits, "yours", "yours"),
      mark(MNIST_BITS, `MNIST’s ${MNIST_BITS}`, "mnist"),
      mark(NOTHING_KNOWN, `noise ${NOTHING_KNOWN}`, "noise"),
    );
  }

  async function start(): Promise<void> {
    if (levels.every((level) => level === 0)) {
      run.say("An empty board is a picture, too: these are its bits.");
    } else run.say("");
    const { method, steps, seed } = controls.values;
    answer("…", "bits per dimension", null);
    progress.hidden = false;
    progress.value = 0;
    const request = { image: bytesOfLevels(levels), method, steps, seed };
    const result = await run.start("bits", request, ({ step, steps }) => progress.value = step / steps);
    progress.hidden = true;
    if (result === null) return answer("–", "bits per dimension", null);
    const { bits, error, evaluations, milliseconds } = result.value;
    const bytes = Math.round(bits * PIXELS / 8);
    const spread = error === null ? "" : ` ± ${error.toFixed(2)}`;
    answer(
      `${bits.toFixed(2)}${spread}`,
      `bits per dimension, ${bytes} bytes in all instead of ${PIXELS}`,
      bits,
    );
    run.say(`${evaluations} evaluations of the network in ${duration(milliseconds)}.`);
  }

  form.addEventListener("submit", () => start());
  part(section, "clear").addEventListener("click", () => {
    run.stop();
    levels = new Uint8Array(PIXELS);
    show();
    controls.patch({ image: null });
    answer("–", "bits per dimension", null);
  });
  return {
    show(values) {
      controls.set(values);
      levels = values.image === null ? new Uint8Array(PIXELS) : values.image.slice();
      show();
      answer("–", "bits per dimension", null);
    },
    leave: () => run.stop(),
  };
}
