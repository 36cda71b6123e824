/**
 * One process of the suite: opens claim files and examines claims as main.ts asks, one JSON line a request.
 * @module
 */
import { quietenGraphicsDriver } from "../../scripts/cli/engine.ts";
import { type Area, claims } from "./claim.ts";
import { type Answer, answerMark, type Request } from "./claim_process.ts";
import { areaOf, importClaims } from "./claim_files.ts";
import { examine } from "./examine.ts";

interface Opened {
  readonly area: Area;
  readonly registered: typeof claims;
}

/** Claim files by their paths; a file registers its claims when it is first imported. */
const opened = new Map<string, Opened>();

async function open(file: string): Promise<Opened> {
  const known = opened.get(file);
  if (known !== undefined) return known;
  const before = claims.length;
  const area = await importClaims(file);
  const now = { area, registered: claims.slice(before) };
  opened.set(file, now);
  return now;
}

async function answer(request: Request): Promise<Answer> {
  const { area, registered } = await open(request.file);
  if (request.kind === "open") {
    return { kind: "opened", area, listings: registered.map(({ name, options }) => ({ name, options })) };
  }
  const found = registered.find((claim) => claim.name === request.name);
  if (found === undefined) throw new TypeError(`${request.file} has no claim "${request.name}"`);
  const verdict = await examine(areaOf(request.file), found, request);
  const { plots, tables } = area;
  const captions = verdict.plots.length + verdict.tables.length > 0 ? { plots, tables } : undefined;
  return { kind: "examined", verdict: { ...verdict, captions } };
}

if (import.meta.main) {
  console.log = console.error;
  quietenGraphicsDriver();
  const encoder = new TextEncoder();
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const bytes = encoder.encode(`\n${answerMark}${JSON.stringify(await answer(JSON.parse(line)))}\n`);
      for (let done = 0; done < bytes.length;) done += await Deno.stdout.write(bytes.subarray(done));
    }
  }
  Deno.exit(0);
}
