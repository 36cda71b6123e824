/** The panel that draws digits from noise. @module */
import type { DrawStep } from "../protocol.ts";
import { counts, labels, type SamplerFacts } from "../settings/panels.ts";
import { Controls } from "./controls.ts";
import { fillSelect, found, part } from "./elements.ts";
import { newSeed, type Panel, type PanelParts } from "./panel.ts";
import { showGrid } from "./pixels.ts";
import { duration, Run } from "./run.ts";
import { Scrubber } from "./scrubber.ts";

/** Makes the panel. */
export function drawPanel({ section, client, registry, fields, changed }: PanelParts<"draw">): Panel<"draw"> {
  const form = found<HTMLFormElement>(section, "form");
  const [state, guess] = [
    part<HTMLCanvasElement>(section, "state"),
    part<HTMLCanvasElement>(section, "guess"),
  ];
  const run = new Run(section, client);
  let steps: DrawStep[] = [];
  const scrubber = new Scrubber(part(section, "scrubber"), (index) => {
    const { step, steps: all, noiseRatio, state: bytes, guess: seen } = steps[index];
    showGrid(state, bytes);
    showGrid(guess, seen ?? new Uint8Array(bytes.length));
    return `step ${step} of ${all}, noise ${shortNoise(noiseRatio)}`;
  });
  fillSelect(found(form, "[name=label]"), labels.map((label) => [label, label]));
  fillSelect(found(form, "[name=count]"), counts.map((count) => [count, count]));
  fillSelect(found(form, "[name=sampler]"), registry.samplers.map(({ name }) => [name, name]));
  fillSelect(
    found(form, "[name=sde]"),
    registry.sdes.map(({ name, title }) => [name, `${name}: ${shortTitle(title)}`]),
  );
  const controls = new Controls(form, fields, (values) => {
    changed(values);
    start();
  }, (sentence) => run.say(sentence ?? ""));

  function describe({ steps: standard, source, path, consistency }: SamplerFacts): void {
    found<HTMLInputElement>(form, "[name=steps]").placeholder = String(standard);
    const guidance = found<HTMLInputElement>(form, "[name=guidance]");
    guidance.disabled = consistency;
    guidance.title = consistency ? "The consistency network has its guidance in it" : "";
    const follows = path === "none" ? "" : ` It follows the ${path}.`;
    part(section, "source").textContent = `${source}.${follows}`;
  }

  async function start(): Promise<void> {
    const { label, count, sampler, sde, steps: chosen, guidance, seed } = controls.values;
    describe(registry.samplers.find(({ name }) => name === sampler)!);
    const request = {
      sampler,
      sde,
      steps: chosen,
      label: label === "any" ? null : Number(label),
      guidance,
      count: Number(count),
      seed,
    };
    steps = [];
    scrubber.reset();
    run.say("Drawing…");
    const result = await run.start("draw", request, (value) => {
      steps.push(value);
      scrubber.add(value.step === value.steps);
      if (value.step > 0) run.say(`${duration(meanTime(steps))} a step.`);
    });
    if (result === null) return;
    const first = performance.getEntriesByName("first digit").length === 0;
    if (first) performance.mark("first digit");
    const { evaluations } = steps[steps.length - 1];
    const since = first
      ? ` The digit was there ${duration(performance.now())} after the page was opened.`
      : "";
    const calls = evaluations === 1 ? "1 evaluation" : `${evaluations} evaluations`;
    run.say(`${duration(meanTime(steps))} a step, ${calls} of the network.${since}`);
  }

  form.addEventListener("submit", () => start());
  part(section, "again").addEventListener("click", () => controls.patch({ seed: newSeed() }));
  return {
    show(values) {
      controls.set(values);
      start();
    },
    leave: () => run.stop(),
  };
}

/** Milliseconds of a step, without the start. */
function meanTime(steps: readonly DrawStep[]): number {
  const taken = steps.slice(1);
  return taken.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / Math.max(1, taken.length);
}

/** A noise ratio in two digits. */
function shortNoise(ratio: number): string {
  return ratio === 0 ? "0" : ratio < 0.1 ? ratio.toFixed(3) : ratio.toPrecision(2);
}

/** A title without its source, which is in parentheses. */
function shortTitle(title: string): string {
  return title.replace(/\s*\([^)]*\)$/, "");
}
