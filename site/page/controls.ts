/**
 * A panel's form: its controls show the settings of the same names, and what one changes there is read by their fields.
 * @module
 */
import type { Field } from "../settings/field.ts";

/** A control that has a value. */
type Control = HTMLInputElement | HTMLSelectElement;

/** The form of some settings; those without a control in it are changed by `patch` alone. */
export class Controls<Values extends object> {
  #values: Values;
  readonly #form: HTMLFormElement;
  readonly #fields: { readonly [Name in keyof Values]: Field<Values[Name]> };
  readonly #changed: (values: Values) => void;

  /**
   * @param changed Called with all settings after one was changed, by its control or by `patch`.
   * @param refused Called with a sentence where a control holds no value, and with null once it does.
   */
  constructor(
    form: HTMLFormElement,
    fields: { readonly [Name in keyof Values]: Field<Values[Name]> },
    changed: (values: Values) => void,
    refused: (sentence: string | null) => void,
  ) {
    this.#form = form;
    this.#fields = fields;
    this.#changed = changed;
    const names = Object.keys(fields) as (keyof Values & string)[];
    this.#values = Object.fromEntries(names.map((name) => [name, fields[name].default])) as Values;
    form.noValidate = true;
    form.addEventListener("change", ({ target }) => {
      const control = target as Control;
      const name = names.find((name) => name === control.name);
      if (name === undefined) return;
      try {
        const value = fields[name].read(control.value);
        control.setCustomValidity("");
        refused(null);
        this.patch({ [name]: value } as unknown as Partial<Values>);
      } catch (error) {
        const sentence = `${wordsOf(control)} ${(error as Error).message}.`;
        control.setCustomValidity(sentence);
        refused(sentence);
      }
    });
  }

  /** The settings. */
  get values(): Values {
    return this.#values;
  }

  /** Shows other settings, without a call of `changed`. */
  set(values: Values): void {
    this.#values = values;
    for (const name of Object.keys(this.#fields) as (keyof Values & string)[]) {
      const control = this.#form.elements.namedItem(name) as Control | null;
      if (control === null) continue;
      control.setCustomValidity("");
      control.value = this.#fields[name].write(values[name]);
    }
  }

  /** Changes some settings. */
  patch(values: Partial<Values>): void {
    this.set({ ...this.#values, ...values });
    this.#changed(this.#values);
  }
}

/** The words beside a control. */
function wordsOf(control: Control): string {
  const label = control.labels?.[0]?.firstChild?.textContent?.trim();
  return label === undefined || label === "" ? control.name : label;
}
