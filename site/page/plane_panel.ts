/** The panel of the plane: modes to drag, and three ways from noise beside each other. @module */
import type { Field, PlaneResult, PlaneShape, PlaneStep } from "../protocol.ts";
import { movedMode } from "../settings/modes.ts";
import type { PanelValues } from "../settings/panels.ts";
import { drawChart, type Measured } from "./chart.ts";
import { Controls } from "./controls.ts";
import { drawSoon } from "./drawing_queue.ts";
import { fillSelect, found, part, prefersStillness } from "./elements.ts";
import { type HandlePlace, Handles } from "./handles.ts";
import { showModeList } from "./mode_list.ts";
import { newSeed, type Panel, type PanelParts } from "./panel.ts";
import { PlaneView } from "./plane_view.ts";
import { Run } from "./run.ts";
import { Scrubber } from "./scrubber.ts";
import { onThemeChange, type Theme, theme } from "./theme.ts";

type PlaneValues = PanelValues<"plane">;

/** The ways, and what they are called. */
const WAYS = { langevin: "Langevin dynamics", reverse: "reverse SDE", flow: "probability flow" } as const;
const wayNames = ["langevin", "reverse", "flow"] as const;

/** Makes the panel. */
export function planePanel({ section, client, fields, changed }: PanelParts<"plane">): Panel<"plane"> {
  const form = found<HTMLFormElement>(section, "form");
  const run = new Run(section, client);
  const chart = part<HTMLCanvasElement>(section, "chart");
  let colours: Theme = theme();
  let still: Field | null = null;
  let steps: PlaneStep[] = [];
  let measured: Measured[] = [];
  let floor: PlaneResult["floor"] | null = null;
  /** The index of the step that is shown. */
  let shown = 0;
  const truth = new PlaneView(part(section, "truth"), "The exact density and its score");
  const views = {
    langevin: new PlaneView(part(section, "langevin"), "Particles under Langevin dynamics"),
    reverse: new PlaneView(part(section, "reverse"), "Particles under the reverse SDE"),
    flow: new PlaneView(part(section, "flow"), "Particles under the probability flow"),
  };
  const scrubber = new Scrubber(part(section, "scrubber"), (index) => {
    shown = index;
    showStep();
    return `step ${steps[index].step} of ${steps[index].steps}`;
  });
  fillSelect(found(form, "[name=shape]"), [["mixture", "mixture of Gaussians"], ["banana", "banana"]]);
  fillSelect(found(form, "[name=distance]"), [["energy", "energy distance"], [
    "sliced",
    "sliced Wasserstein distance",
  ]]);

  const controls = new Controls(form, fields, (values) => {
    changed(values);
    showShape(values);
    start();
  }, (sentence) => run.say(sentence ?? ""));
  const handles = new Handles(part(section, "truth"), move, () => controls.patch({}));

  function showTruth(): void {
    if (still !== null) truth.show(still, new Float32Array(0), colours.text, colours);
  }

  function showStep(): void {
    const { particles, fields, step, steps: all } = steps[shown];
    for (const way of wayNames) views[way].show(fields[way], particles[way], colours[way], colours);
    drawSoon(chart, () => drawChart(chart, { measured, steps: all, step, floor }, colours));
    const last = measured.findLast((each) => each.step <= step);
    if (last === undefined) return;
    const name = controls.values.distance === "energy" ? "Energy distance" : "Sliced Wasserstein distance";
    const ways = wayNames.map((way) => `${WAYS[way]} ${decimals(last.distances[way])}`).join(", ");
    const band = floor === null
      ? ""
      : ` Two sets of exact samples are ${decimals(floor.mean)} ± ${
        floor.std.toFixed(3)
      } apart: the grey band.`;
    part(section, "distances").textContent = `${name} to exact samples at step ${last.step}: ${ways}.${band}`;
  }

  function showShape({ shape, modes, width, bend }: PlaneValues): void {
    for (const element of section.querySelectorAll<HTMLElement>("[data-for]")) {
      element.hidden = element.dataset.for !== shape;
    }
    handles.show(shape === "mixture" ? modes.map(modeHandle) : [bananaHandle(width, bend)]);
    showModeList(part(section, "modes"), modes, (modes) => controls.patch({ modes }));
  }

  let asking = false;
  let wanted: PlaneShape | null = null;
  /** Shows the density of a shape that is being dragged; one question at a time, the last one always. */
  async function ask(shape: PlaneShape): Promise<void> {
    wanted = shape;
    if (asking) return;
    asking = true;
    while (wanted !== null) {
      const now: PlaneShape = wanted;
      wanted = null;
      const result = await client.start("field", now, () => {}).result.catch(() => null);
      if (result === null) continue;
      still = result.value;
      showTruth();
    }
    asking = false;
  }

  function move(index: number, x: number, y: number): void {
    run.stop();
    const values = controls.values;
    const next: PlaneValues = values.shape === "mixture"
      ? { ...values, modes: values.modes.map((mode, i) => i === index ? movedMode(mode, x, y) : mode) }
      : { ...values, ...bananaOf(x, y) };
    controls.set(next);
    handles.show(
      next.shape === "mixture" ? next.modes.map(modeHandle) : [bananaHandle(next.width, next.bend)],
    );
    ask(shapeOf(next));
  }

  async function start(): Promise<void> {
    const { particles, steps: count, stepSize, distance, seed } = controls.values;
    const shape = shapeOf(controls.values);
    [steps, measured, floor] = [[], [], null];
    scrubber.reset();
    run.say(prefersStillness() ? "Computing; the end will be shown." : "");
    const result = await run.start(
      "plane",
      { shape, particles, steps: count, stepSize, distance, seed },
      (value) => {
        steps.push(value);
        if (value.distances !== null) measured.push({ step: value.step, distances: value.distances });
        if (value.step === 0) {
          still = value.fields.langevin;
          showTruth();
        }
        scrubber.add(value.step === value.steps);
      },
    );
    if (result === null) return;
    floor = result.value.floor;
    scrubber.refresh();
    run.say("");
  }

  const redraw = () => {
    showTruth();
    scrubber.refresh();
  };
  onThemeChange(() => {
    colours = theme();
    redraw();
  });
  new ResizeObserver(redraw).observe(part(section, "truth"));
  form.addEventListener("submit", () => start());
  part(section, "again").addEventListener("click", () => controls.patch({ seed: newSeed() }));
  return {
    show(values) {
      controls.set(values);
      showShape(values);
      start();
    },
    leave: () => run.stop(),
  };
}

/** Three decimals, with a minus sign; estimates of small energy distances may be negative. */
function decimals(value: number): string {
  return Number.isFinite(value)
    ? value.toFixed(3).replace("-", "−")
    : "has left the plane (take a smaller step)";
}

function shapeOf({ shape, modes, spread, width, bend }: PlaneValues): PlaneShape {
  return shape === "mixture" ? { kind: shape, modes, spread } : { kind: shape, width, bend };
}

function modeHandle({ x, y, weight }: { x: number; y: number; weight: number }, i: number): HandlePlace {
  return { x, y, name: `Mode ${i + 1} of weight ${weight}` };
}

/** How many standard deviations from the middle the banana's handle is. */
const ARM = 1.8;

/** The handle on the banana's right arm, on its parabola x₂ = bend (x₁² − width²). */
function bananaHandle(width: number, bend: number): HandlePlace {
  const x = ARM * width;
  return { x, y: bend * (x ** 2 - width ** 2), name: "The banana’s arm" };
}

/** The banana whose arm is at a place. */
function bananaOf(x: number, y: number): { width: number; bend: number } {
  const kept = (value: number, least: number, most: number) =>
    Math.round(100 * Math.min(most, Math.max(least, value))) / 100;
  const width = kept(x / ARM, 0.3, 1.4);
  return { width, bend: kept(y / (width ** 2 * (ARM ** 2 - 1)), -1, 1) };
}
