/**
 * Processes that examine claims beside each other, each with its own TensorFlow.js.
 * @module
 */
import { isCached } from "../../scripts/cli/native_engine.ts";
import { ONNX_RUNTIME } from "../../src/compute/onnx/runtime.ts";
import type { Area, ClaimOptions } from "./claim.ts";
import type { Examination, Verdict } from "./examine.ts";
import { ownPermissions } from "./permissions.ts";

/** What main.ts asks for. */
export type Request =
  | { readonly kind: "open"; readonly file: string }
  | ({ readonly kind: "examine"; readonly file: string; readonly name: string } & Examination);

/** A claim file as the suite sees it. */
export interface OpenedFile {
  readonly area: Area;
  readonly listings: readonly Listing[];
}

/** A claim as the suite sees it. */
export interface Listing {
  readonly name: string;
  readonly options: ClaimOptions;
}

/** The answer to a request of the same kind. */
export type Answer =
  | ({ readonly kind: "opened" } & OpenedFile)
  | { readonly kind: "examined"; readonly verdict: Verdict };

/** Marks a line of this process's output as an answer; everything else that is printed is chatter. */
export const answerMark = "\u0001answer ";

/** The lock file of the native engine, where that is in the cache. */
const nativeLock = await isCached(ONNX_RUNTIME.name, ONNX_RUNTIME.version)
  ? new URL("../../scripts/onnx.lock", import.meta.url)
  : null;

/**
 * The packages that only the suite needs are locked apart, so that drawing digits does not fetch them. Processes get a copy
 * of that lock, this run's own, with ONNX Runtime where that is in the cache: one that loads another optional package, such as
 * AssemblyScript, adds it there.
 */
let lock: string | undefined;

function lockFile(): string {
  if (lock === undefined) {
    const copy = lock = Deno.makeTempFileSync({ prefix: "score-sde-", suffix: ".lock" });
    const own = JSON.parse(Deno.readTextFileSync(new URL("../deno.lock", import.meta.url)));
    const native = nativeLock === null ? {} : JSON.parse(Deno.readTextFileSync(nativeLock));
    const joined = {
      ...own,
      specifiers: { ...native.specifiers, ...own.specifiers },
      npm: { ...native.npm, ...own.npm },
    };
    Deno.writeTextFileSync(copy, JSON.stringify(joined));
    globalThis.addEventListener("unload", () => Deno.removeSync(copy));
  }
  return lock;
}

/** Thrown when a process has said nothing for too long; it has been ended. */
export class NoAnswer extends Error {}

/** A process that examines one claim at a time. */
export class ClaimProcess {
  readonly #ownGroup: boolean;
  #process: Deno.ChildProcess;
  #input: WritableStreamDefaultWriter<Uint8Array>;
  #answers: AsyncIterator<Answer>;
  #chatter: Promise<string>;

  /**
   * @param copy The folder of a copy of the sources whose claims are examined; by default these sources. What the process has
   * started ends with it.
   */
  constructor(copy?: string) {
    this.#ownGroup = copy !== undefined && Deno.build.os !== "windows";
    const worker = copy === undefined
      ? new URL("worker.ts", import.meta.url).href
      : `${copy}/verify/suite/worker.ts`;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", `--lock=${lockFile()}`, ...ownPermissions, worker],
      ...copy !== undefined && { cwd: copy, env: { TMPDIR: temporaryFolder(copy) } },
      detached: this.#ownGroup,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#answers = readAnswers(this.#process.stdout);
    this.#chatter = lastCharacters(this.#process.stderr, 4000);
  }

  /** Imports a claim file there and lists its claims; within `patience` milliseconds. */
  async open(file: string, patience = Infinity): Promise<OpenedFile> {
    const answer = await this.#within(patience, this.#ask({ kind: "open", file }));
    if (answer.kind !== "opened") throw new Error(`the answer to "open" was "${answer.kind}"`);
    return answer;
  }

  /** Examines one claim there. Rejects when the process dies of it, or says nothing for `patience` milliseconds. */
  async examine(file: string, name: string, how: Examination, patience: number): Promise<Verdict> {
    const answer = await this.#within(patience, this.#ask({ kind: "examine", file, name, ...how }));
    if (answer.kind !== "examined") throw new Error(`the answer to "examine" was "${answer.kind}"`);
    return answer.verdict;
  }

  /** Ends the process. */
  async close(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#process.status;
    // A claim's task that goes on for ever would outlive the process.
    if (this.#ownGroup) this.#kill();
  }

  /** What is answered; where nothing is in time, the process is ended. */
  async #within(patience: number, answer: Promise<Answer>): Promise<Answer> {
    if (patience === Infinity) return await answer;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#kill();
        reject(new NoAnswer(`no verdict after ${Math.round(patience / 1000)} s`));
      }, patience);
    });
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  #kill(): void {
    try {
      if (this.#ownGroup) Deno.kill(-this.#process.pid, "SIGKILL");
      else this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  async #ask(request: Request): Promise<Answer> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(request) + "\n")).catch(() => {});
    const { done, value } = await this.#answers.next();
    if (!done) return value;
    const { code, signal } = await this.#process.status;
    throw new Error(`the process ended (${signal ?? `code ${code}`})\n${await this.#chatter}`);
  }
}

/** Where the claims of a copy put temporary files, so that they go with it, however the process ends. */
export function temporaryFolder(copy: string): string {
  return `${copy}/temporary`;
}

async function* readAnswers(output: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Answer> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith(answerMark)) yield JSON.parse(line.slice(answerMark.length));
    }
  }
}

async function lastCharacters(
  output: ReadableStream<Uint8Array<ArrayBuffer>>,
  count: number,
): Promise<string> {
  let kept = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) kept = (kept + text).slice(-count);
  return kept;
}
