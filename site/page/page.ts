/** The playground: shows the panel that the address names, with its settings, and writes what one changes into the address. @module */
import type { EngineChoice } from "../protocol.ts";
import { readHash, writeHash } from "../settings/hash.ts";
import {
  panelFields,
  type PanelName,
  panelNames,
  type PanelValues,
  type Registry,
} from "../settings/panels.ts";
import { bitsPanel } from "./bits_panel.ts";
import { Client } from "./client.ts";
import { colourPanel } from "./colour_panel.ts";
import { completePanel } from "./complete_panel.ts";
import { drawPanel } from "./draw_panel.ts";
import { found } from "./elements.ts";
import type { Panel, PanelParts } from "./panel.ts";
import { planePanel } from "./plane_panel.ts";

const client = new Client(() => new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
const registry = JSON.parse(found(document, "#registry").textContent!) as Registry;
const fields = panelFields(registry);
const engineSelect = found<HTMLSelectElement>(document, "#engine");
const makers: { readonly [Name in PanelName]: (parts: PanelParts<Name>) => Panel<Name> } = {
  draw: drawPanel,
  complete: completePanel,
  colour: colourPanel,
  plane: planePanel,
  bits: bitsPanel,
};
const panels: { [Name in PanelName]?: Panel<Name> } = {};
/** What is shown, and all its settings. */
let shown: { panel: PanelName; values: Record<string, unknown> } | null = null;

/** A panel, made when it is first shown. */
function panelOf<Name extends PanelName>(name: Name): Panel<Name> {
  const ready = panels[name];
  if (ready !== undefined) return ready;
  const made = makers[name]({
    section: found(document, `section[data-panel="${name}"]`),
    client,
    registry,
    fields: fields[name],
    changed(values) {
      shown = { panel: name, values };
      history.replaceState(null, "", writeHash(name, values, fields));
    },
  });
  (panels as Record<string, unknown>)[name] = made;
  return made;
}

/** Shows what the address says; what it says wrongly is said above the panel. */
function open(): void {
  const { panel, values, problem } = readHash(location.hash, fields);
  const alert = found(document, "#problem");
  alert.hidden = problem === null;
  alert.textContent = problem ?? "";
  if (shown !== null) panels[shown.panel]?.leave();
  shown = { panel, values };
  for (const name of panelNames) {
    found(document, `section[data-panel="${name}"]`).hidden = name !== panel;
    const link = found(document, `nav [data-panel="${name}"]`);
    if (name === panel) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  openEngine(values.engine as EngineChoice);
  (panelOf(panel) as Panel<PanelName>).show(values as PanelValues<PanelName>);
}

/** Opens an engine and says which it is. */
async function openEngine(choice: EngineChoice): Promise<void> {
  const status = found(document, "#engine-status");
  engineSelect.value = choice;
  try {
    const { reason } = await client.open(choice);
    status.textContent = `Computing with ${reason}.`;
  } catch (error) {
    status.textContent = `The engine did not start: ${(error as Error).message}. Choose another one.`;
  }
}

engineSelect.addEventListener("change", () => {
  const { panel, values } = shown!;
  history.replaceState(null, "", writeHash(panel, { ...values, engine: engineSelect.value }, fields));
  open();
});
found(document, "#share").addEventListener("click", async () => {
  const said = found(document, "#shared");
  try {
    await navigator.clipboard.writeText(location.href);
    said.textContent = "Copied.";
  } catch {
    said.textContent = "The address of this page is the link.";
  }
});
addEventListener("hashchange", open);
open();
