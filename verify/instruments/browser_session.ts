/**
 * Opens pages in Chromium and tells what they show: a program of its own, with one JSON argument and one line of JSON.
 * @module
 */
import { NPM_TOOLS } from "../suite/npm_tools.ts";

/** A page to open. */
export interface Visit {
  readonly url: string;
  /** How many canvases it shows when it is done. */
  readonly canvases: number;
}

/** What a page showed. */
export interface Shown {
  /** Red values of its canvases' pixels, one after the other. */
  readonly pixels: readonly number[];
  /** Addresses that it and its workers asked for. */
  readonly asked: readonly string[];
  /** Errors that it printed or threw. */
  readonly errors: readonly string[];
}

/** The parts of playwright-core that are used here. */
interface Playwright {
  readonly chromium: { launch(options: object): Promise<Browser> };
}
interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
interface Page {
  on(event: string, listener: (event: never) => void): void;
  goto(url: string, options: { timeout: number }): Promise<unknown>;
  waitForFunction(code: string, argument?: unknown, options?: { timeout: number }): Promise<unknown>;
  evaluate<T>(code: string): Promise<T>;
}

/** Milliseconds to wait for the browser and for a page, on a machine that does other work, too. */
const PATIENCE = 180_000;

/** A page's pixels once it shows enough canvases, or before, if it fails. */
async function visit(browser: Browser, { url, canvases }: Visit): Promise<Shown> {
  const page = await browser.newPage();
  const [asked, errors]: string[][] = [[], []];
  page.on("request", (request: { url(): string }) => asked.push(request.url()));
  page.on("pageerror", (error: Error) => errors.push(error.message));
  page.on("console", (message: { type(): string; text(): string }) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(url, { timeout: PATIENCE });
  await page.waitForFunction(`document.querySelectorAll("canvas").length >= ${canvases}`, undefined, {
    timeout: PATIENCE,
  }).catch((error: Error) => errors.push(error.message));
  const pixels = await page.evaluate<number[]>(`[...document.querySelectorAll("canvas")].flatMap((canvas) =>
    [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 === 0))`);
  return { pixels, asked, errors };
}

if (import.meta.main) {
  const visits: readonly Visit[] = JSON.parse(Deno.args[0]);
  const specifier = `npm:playwright-core@${NPM_TOOLS["playwright-core"]}`;
  const { chromium }: Playwright = await import(specifier);
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    timeout: PATIENCE,
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  });
  try {
    console.log(JSON.stringify(await Promise.all(visits.map((one) => visit(browser, one)))));
  } finally {
    await browser.close();
  }
}
