/**
 * Examines mutants: type-checks each, and runs the claims that can notice it until one fails.
 * @module
 */
import { pathToFileURL } from "node:url";
import { areaOf, claimFiles } from "../suite/claim_files.ts";
import { type Verdict, whatWasSeen } from "../suite/examine.ts";
import { type Examined, SourceCopy } from "../suite/source_copy.ts";
import type { Unit } from "../suite/suite.ts";
import { type Equivalent, whyEquivalent } from "./equivalents.ts";
import { ImportGraph, modulesOf } from "./import_graph.ts";
import { digest, type Mutant, mutated } from "./mutant.ts";
import type { Basis, MutantRecord } from "./record.ts";
import type { Outcome, Result } from "./result.ts";
import { TypeCheck } from "./type_check.ts";

/** How mutants are examined. */
export interface RunOptions {
  /** The folder with the sources. */
  readonly root: string;
  /** A folder for copies, one a process. */
  readonly scratch: string;
  readonly record: MutantRecord;
  readonly equivalents: readonly Equivalent[];
  /** Copies beside each other. */
  readonly processes: number;
  /** Seconds of claims after which a mutant is left undecided. */
  readonly seconds: number;
  /** No mutant is begun once this says so; those in work are finished, so that slow ones are not left out. */
  readonly over: () => boolean;
  /** Whether to stop after the claim that is under examination. */
  readonly stop: () => boolean;
  /** What checks types; made when it is first wanted where it is left out. */
  readonly check?: TypeCheck;
  /** Milliseconds without a verdict that are too many; default {@linkcode usualPatience}. */
  readonly patience?: Patience;
}

/** Milliseconds for a claim whose time is known, `least + factor × time`, and for another one. */
export interface Patience {
  readonly least: number;
  readonly factor: number;
  readonly unknown: number;
}

/** Half a minute and ten times what a claim takes, or two minutes. */
export const usualPatience: Patience = { least: 30_000, factor: 10, unknown: 120_000 };
/** What a claim is thought to take until that is known, and the opening of its file, in milliseconds. */
const guess = { claim: 2000, opening: 300 };

/** Examines mutants of one tree. */
export class MutantRun {
  readonly #options: RunOptions;
  readonly #graph: ImportGraph;
  readonly #claims: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly #sources: readonly string[];
  readonly #texts = new Map<string, string>();
  readonly #bases = new Map<string, Basis>();
  /** Claims that fail without any mutant, too, as "area: name [engine]". */
  readonly failing = new Set<string>();
  readonly #held = new Set<string>();
  #check: TypeCheck | undefined;

  constructor(options: RunOptions) {
    const { root } = options;
    this.#options = options;
    this.#check = options.check;
    this.#graph = new ImportGraph(root);
    this.#sources = modulesOf(root, ["src", "scripts"]);
    this.#claims = new Map(
      claimFiles(pathToFileURL(`${root}/verify/claims/`)).map((file) => [
        file,
        this.#graph.reached(`verify/claims/${file}`),
      ]),
    );
  }

  /** What is known of a mutant from earlier runs, or needs no run; null for what is to be examined. */
  known(mutant: Mutant): Result | null {
    const { record, equivalents } = this.#options;
    const why = whyEquivalent(mutant, equivalents);
    if (why !== null) return { id: mutant.id, outcome: "equivalent", by: why, saw: "", seconds: 0 };
    return record.known(mutant, this.#basis(mutant.file));
  }

  /** Examines mutants in their order and hands on what came of each. */
  async examine(mutants: readonly Mutant[], report: (mutant: Mutant, result: Result) => void): Promise<void> {
    const { root, scratch, processes, record, over, stop } = this.#options;
    if (mutants.length === 0) return;
    const queue = [...mutants];
    this.#check ??= await TypeCheck.of(root, this.#sources);
    await Promise.all(Array.from({ length: Math.min(processes, queue.length) }, async (_, i) => {
      const copy = await SourceCopy.make(`${scratch}/${i}`, root);
      while (!over() && !stop()) {
        const mutant = queue.shift();
        if (mutant === undefined) return;
        const result = await this.#one(copy, mutant);
        if (result === null) return;
        await record.add(mutant, this.#basis(mutant.file), result);
        report(mutant, result);
      }
    }));
  }

  /** The claim files that can notice a change of a file. */
  claimsOf(file: string): string[] {
    return [...this.#claims].filter(([, reached]) => reached.has(file)).map(([claims]) => claims);
  }

  /** Null when it is to stop. */
  async #one(copy: SourceCopy, mutant: Mutant): Promise<Result | null> {
    const started = performance.now();
    const { file, id } = mutant;
    const ended = (outcome: Outcome, by: string, saw = ""): Result => {
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      return { id, outcome, by, saw, seconds };
    };
    const text = mutated(this.#text(file), mutant);
    const errors = this.#check!.errors(file, text);
    if (errors.length > 0) return ended("not compiled", errors[0]);
    while (true) {
      const { failed, timedOut, passed, complete } = await copy.with(
        file,
        text,
        () => this.#claimsFail(copy, file),
      );
      for (const verdict of passed) this.#options.record.took(nameOf(verdict), verdict.milliseconds);
      if (failed !== null) {
        if (!await this.#holds(copy, failed)) continue;
        const by = `${failed.area}: ${failed.name}`;
        return ended(timedOut ? "timed out" : "noticed", by, whatWasSeen(failed));
      }
      if (this.#options.stop()) return null;
      if (!complete) return ended("undecided", `after ${this.#options.seconds} s`);
      // What a file exports may have another type now, which others do not take; that check takes long.
      const elsewhere = this.#importers(file).flatMap((other) => this.#check!.errors(file, text, other));
      if (elsewhere.length > 0) return ended("not compiled", elsewhere[0]);
      return ended("survived", `${passed.length} claims held`);
    }
  }

  #claimsFail(copy: SourceCopy, file: string): Promise<Examined> {
    const { record, seconds, stop } = this.#options;
    const until = performance.now() + 1000 * seconds;
    const timed = record.timed();
    // Claims about the file's folder, those that import the file itself, and those that have noticed mutants of it before are
    // likelier to notice this one.
    const about = file.split("/")[file.startsWith("src/") ? 1 : 0];
    const rank = (claims: string, claim?: string, opening = 0) => {
      const distance = this.#claims.get(claims)!.get(file)! / (claims.startsWith(`${about}/`) ? 4 : 1);
      const before = claim === undefined ? 0 : record.noticed(file, claim.replace(/ \[\w+\]$/, ""));
      const time = claim === undefined ? undefined : record.time(claim);
      return (opening + (time ?? guess.claim)) * distance / (1 + before);
    };
    return copy.firstFailure({
      files: this.claimsOf(file),
      wanted: (unit) =>
        !this.failing.has(nameOf(unit)) &&
        (unit.engine !== "webgpu" || /^src\/compute\/(?!wasm\/)/.test(file)),
      rank: {
        file: (claims) => {
          const own = timed.filter((claim) => claim.startsWith(`${areaOf(claims)}: `));
          return own.length === 0
            ? rank(claims, undefined, guess.opening)
            : Math.min(...own.map((claim) => rank(claims, claim, guess.opening)));
        },
        unit: (unit) => rank(unit.file, nameOf(unit)),
      },
      patience: (unit) => this.#patience(nameOf(unit)),
      stop: () => stop() || performance.now() > until,
    });
  }

  /** Whether a claim that failed holds without the mutant; examined once. */
  async #holds(copy: SourceCopy, failed: Verdict): Promise<boolean> {
    const name = nameOf(failed);
    if (this.#held.has(name)) return true;
    const { failed: again, passed } = await copy.firstFailure({
      files: [`${failed.area}.ts`],
      wanted: (unit) => nameOf(unit) === name,
      patience: () => this.#patience(name),
    });
    for (const verdict of passed) this.#options.record.took(nameOf(verdict), verdict.milliseconds);
    (again === null ? this.#held : this.failing).add(name);
    return again === null;
  }

  #patience(claim: string): number {
    const { record, patience = usualPatience } = this.#options;
    const time = record.time(claim);
    return time === undefined ? patience.unknown : patience.least + patience.factor * time;
  }

  #importers(file: string): string[] {
    const ending = `/${file.split("/").at(-1)}"`;
    return this.#sources.filter((other) => other !== file && this.#text(other).includes(ending));
  }

  #basis(file: string): Basis {
    const known = this.#bases.get(file);
    if (known !== undefined) return known;
    const reached = new Set(this.claimsOf(file).flatMap((claims) => [...this.#claims.get(claims)!.keys()]));
    const modules = [...reached].filter((path) => path.startsWith("verify/")).sort();
    const claims = digest(modules.map((path) => `${path}\n${this.#text(path)}`).join("\n"));
    const basis = { text: this.#text(file), claims, seconds: this.#options.seconds };
    this.#bases.set(file, basis);
    return basis;
  }

  #text(file: string): string {
    const text = this.#texts.get(file) ?? Deno.readTextFileSync(`${this.#options.root}/${file}`);
    this.#texts.set(file, text);
    return text;
  }
}

/** How a record names a claim on an engine. */
export function nameOf(
  { area, name, engine }: Pick<Unit, "area" | "name"> & { readonly engine: string },
): string {
  return `${area}: ${name} [${engine}]`;
}
