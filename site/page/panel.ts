/** What the page knows of a panel. @module */
import type { PanelFields, PanelName, PanelValues, Registry } from "../settings/panels.ts";
import type { Client } from "./client.ts";

/** A panel. */
export interface Panel<Name extends PanelName> {
  /** Shows settings, and begins what the panel does by itself. */
  show(values: PanelValues<Name>): void;
  /** Stops what it does, as another panel is shown. */
  leave(): void;
}

/** What a panel is made with. */
export interface PanelParts<Name extends PanelName> {
  readonly section: HTMLElement;
  readonly client: Client;
  readonly registry: Registry;
  readonly fields: PanelFields[Name];
  /** Called when settings were changed, to be written into the address. */
  changed(values: PanelValues<Name>): void;
}

/** A seed for "New seed". */
export function newSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
}
