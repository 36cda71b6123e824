/** The modes of a mixture as a list: their weights, and buttons that add one and take one away. @module */
import { type Mode, MOST_MODES } from "../settings/modes.ts";
import { made } from "./elements.ts";

/** Shows modes; `changed` gets the new ones. */
export function showModeList(
  place: HTMLElement,
  modes: readonly Mode[],
  changed: (modes: readonly Mode[]) => void,
): void {
  const focused = place.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const rows = modes.map((mode, i) => {
    const weight = made("input", {
      type: "range",
      id: `weight-${i}`,
      min: "0.05",
      max: "1",
      step: "0.05",
      value: String(mode.weight),
    });
    weight.addEventListener("change", () => {
      changed(modes.map((other, k) => k === i ? { ...other, weight: Number(weight.value) } : other));
    });
    return made("li", {}, [made("label", {}, [`Weight of mode ${i + 1}`, weight])]);
  });
  const add = made("button", { type: "button", id: "mode-add", textContent: "Add a mode" });
  add.disabled = modes.length === MOST_MODES;
  add.addEventListener("click", () => {
    const angle = 2.4 * modes.length;
    const at = (value: number) => Math.round(150 * value) / 100;
    changed([...modes, { x: at(Math.cos(angle)), y: at(Math.sin(angle)), weight: 0.5 }]);
  });
  const remove = made("button", { type: "button", id: "mode-remove", textContent: "Remove the last" });
  remove.disabled = modes.length === 1;
  remove.addEventListener("click", () => changed(modes.slice(0, -1)));
  place.replaceChildren(made("ul", {}, rows), made("div", { className: "small" }, [add, remove]));
  if (focused) document.getElementById(focused)?.focus();
}
