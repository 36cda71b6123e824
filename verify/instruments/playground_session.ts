/**
 * Uses the playground in Chromium as a reader does, and tells what was seen: a program of its own, with the page's address as
 * its argument and one line of JSON.
 * @module
 */
import { NPM_TOOLS } from "../suite/npm_tools.ts";

/** What was seen. */
export interface Seen {
  /** Addresses that the pages and their workers asked for. */
  readonly asked: readonly string[];
  /** Errors that they printed or threw. */
  readonly errors: readonly string[];
  /** Red values of the first digit, and what the line below says. */
  readonly first: { readonly pixels: readonly number[]; readonly status: string; readonly engine: string };
  /** Processor time of the longest task of the page's main thread in milliseconds, and how many tasks were seen. */
  readonly longest: { readonly milliseconds: number; readonly tasks: number };
  /** The sentence above the panel for a wrong address, and the sampler that is shown. */
  readonly wrong: { readonly problem: string; readonly sampler: string };
  /** The address after a mode was moved by an arrow key, and what has the focus then. */
  readonly moved: { readonly hash: string; readonly focused: string };
  /** The line below a run that was stopped, and its steps. */
  readonly stopped: { readonly status: string; readonly step: string };
  /** Bright pixels of the board after a stroke by the keyboard, and the address. */
  readonly stroke: { readonly bright: number; readonly hash: string };
  /** How much wider than a phone's screen each panel is, in pixels. */
  readonly overflow: Readonly<Record<string, number>>;
  /** Steps that were shown during a run for someone who asks for little motion. */
  readonly still: readonly string[];
  /** Names of controls that nothing names, for those who hear the page. */
  readonly nameless: readonly string[];
}

/** The parts of playwright-core that are used here. */
interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> };
}
interface Browser {
  newContext(options?: object): Promise<Context>;
  startTracing(page: Page, options: object): Promise<void>;
  stopTracing(): Promise<Uint8Array>;
  close(): Promise<void>;
}
interface Context {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
interface Page {
  readonly keyboard: { press(key: string): Promise<void> };
  on(event: string, listener: (event: never) => void): void;
  goto(url: string): Promise<unknown>;
  click(selector: string): Promise<void>;
  focus(selector: string): Promise<void>;
  evaluate<T>(code: string): Promise<T>;
}

const asked: string[] = [];
const errors: string[] = [];

async function open(
  browser: Browser,
  url: string,
  options?: object,
): Promise<{ page: Page; context: Context }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("request", (request: { url(): string }) => asked.push(request.url()));
  page.on("pageerror", (error: Error) => errors.push(error.message));
  page.on("console", (message: { type(): string; text(): string }) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url);
  return { page, context };
}

const section = (panel: string) => `document.querySelector('section[data-panel="${panel}"]')`;
const status = (panel: string) => `${section(panel)}.querySelector("[data-role=status]").textContent`;
/** Milliseconds after which what is waited for does not come. */
const PATIENCE = 60_000;
const firstDigit = `performance.getEntriesByName("first digit").length > 0`;

/** Waits until an expression is true. The page's policy forbids what playwright would evaluate to wait there. */
async function until(page: Page, condition: string): Promise<void> {
  for (const end = performance.now() + PATIENCE; !await page.evaluate<boolean>(condition);) {
    if (performance.now() > end) throw new Error(`this did not become true: ${condition}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Milliseconds from which Chromium calls a task long. */
const LONG_TASK = 50;

/** The longest task of the main thread, by the processor's time: the machine may be busy with others. */
function longestTask(trace: Uint8Array): Seen["longest"] {
  interface Event {
    readonly name: string;
    readonly pid: number;
    readonly tid: number;
    readonly tdur?: number;
    readonly args?: { readonly name?: string };
  }
  const { traceEvents } = JSON.parse(new TextDecoder().decode(trace)) as { traceEvents: Event[] };
  const thread = ({ pid, tid }: Event) => `${pid} ${tid}`;
  const main = new Set(
    traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain").map(
      thread,
    ),
  );
  const tasks = traceEvents.filter((event) => /RunTask$/.test(event.name) && main.has(thread(event)));
  const times = tasks.map(({ tdur = 0 }) => tdur / 1000);
  return { milliseconds: Math.max(...times), tasks: times.length };
}

async function look(browser: Browser, url: string): Promise<Seen> {
  const { page, context } = await open(browser, "about:blank");
  const categories = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"];
  let longest: Seen["longest"] = { milliseconds: Infinity, tasks: 0 };
  // Caches that other programs empty lengthen a task by half: what takes long of itself takes long in each of three loads.
  for (let load = 0; load < 3 && longest.milliseconds > LONG_TASK; load++) {
    await page.goto("about:blank");
    await browser.startTracing(page, { categories });
    await page.goto(`${url}#draw?seed=7&engine=wasm`);
    await until(page, firstDigit);
    await page.evaluate(`location.hash = "#plane?engine=wasm&steps=60"`);
    await until(page, `/exact samples are/.test(${section("plane")}.textContent)`);
    const next = longestTask(await browser.stopTracing());
    if (next.milliseconds < longest.milliseconds) longest = next;
  }
  // Read only now, so that the reading is none of the tasks.
  const first = await page.evaluate<Seen["first"]>(`(() => {
    const canvas = document.querySelector("[data-role=state]");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return { pixels: [...data].filter((_, i) => i % 4 === 0), status: ${status("draw")},
      engine: document.querySelector("#engine-status").textContent };
  })()`);

  await page.focus(".handle");
  await page.keyboard.press("ArrowRight");
  const moved = await page.evaluate<Seen["moved"]>(
    `({ hash: location.hash, focused: document.activeElement.ariaLabel })`,
  );

  await page.evaluate(`location.hash = "#draw?sampler=euler&engine=wasm"`);
  await until(page, `!document.querySelector("#problem").hidden`);
  const wrong = await page.evaluate<Seen["wrong"]>(
    `({ problem: document.querySelector("#problem").textContent, sampler: document.querySelector("[name=sampler]").value })`,
  );

  await page.evaluate(`location.hash = "#draw?sampler=ddim&steps=1000&engine=wasm"`);
  await until(page, `/a step/.test(${status("draw")})`);
  await page.click(`section[data-panel="draw"] [data-role=stop]`);
  await until(page, `/Stopped/.test(${status("draw")})`);
  const stopped = await page.evaluate<Seen["stopped"]>(
    `({ status: ${status("draw")}, step: ${section("draw")}.querySelector(".scrubber output").textContent })`,
  );

  await page.evaluate(`location.hash = "#bits?engine=wasm"`);
  await until(page, `!${section("bits")}.hidden`);
  await page.focus(`section[data-panel="bits"] .pad`);
  for (const key of [" ", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", " "]) {
    await page.keyboard.press(key);
  }
  const stroke = await page.evaluate<Seen["stroke"]>(`(() => {
    const canvas = ${section("bits")}.querySelector(".pad canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, 28, 28);
    return { bright: [...data].filter((value, i) => i % 4 === 0 && value > 200).length, hash: location.hash };
  })()`);
  const nameless = await page.evaluate<string[]>(
    `[...document.querySelectorAll("input, select, button, canvas, [tabindex]")]
    .filter((e) => e.id !== "main" && !e.closest(".pad canvas") && !e.ariaLabel && !e.labels?.length && !e.textContent.trim())
    .map((e) => e.outerHTML.slice(0, 80))`,
  );
  await context.close();

  const phone = await open(browser, `${url}#bits`, { viewport: { width: 390, height: 844 }, hasTouch: true });
  const overflow = await phone.page.evaluate<Seen["overflow"]>(`Object.fromEntries(
    [...document.querySelectorAll("section")].map((section) => {
      for (const other of document.querySelectorAll("section")) other.hidden = other !== section;
      return [section.dataset.panel, document.documentElement.scrollWidth - 390];
    }))`);
  await phone.context.close();

  const calm = await open(browser, "about:blank", { reducedMotion: "reduce" });
  await calm.page.goto(`${url}#draw?engine=wasm&sampler=ddim&steps=30`);
  await calm.page.evaluate(`globalThis.shown = []; new MutationObserver(() => {
    const words = ${section("draw")}.querySelector(".scrubber output").textContent;
    if (words !== "" && shown.at(-1) !== words) shown.push(words);
  }).observe(document.body, { subtree: true, childList: true, characterData: true })`);
  await until(calm.page, `shown.length > 0 && ${firstDigit}`);
  const still = await calm.page.evaluate<string[]>("shown");
  await calm.context.close();
  return { asked, errors, first, longest, wrong, moved, stopped, stroke, overflow, still, nameless };
}

if (import.meta.main) {
  const specifier = `npm:playwright-core@${NPM_TOOLS["playwright-core"]}`;
  const { chromium }: Playwright = await import(specifier);
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    console.log(JSON.stringify(await look(browser, Deno.args[0])));
  } finally {
    await browser.close();
  }
}
