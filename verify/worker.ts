/**
 * One process of the suite: opens claim files and examines claims as main.ts asks, one JSON line a request.
 * @module
 */
import { quietenGraphicsDriver } from "../scripts/cli/engine.ts";
import { claims } from "./claim.ts";
import { type Answer, answerMark, type Request } from "./claim_process.ts";
import { examine } from "./examine.ts";

/** The claims of a claim file, which registers them when it is first imported. */
const opened = new Map<string, typeof claims>();

async function open(file: string): Promise<typeof claims> {
  const known = opened.get(file);
  if (known !== undefined) return known;
  const before = claims.length;
  await import(new URL(file, import.meta.url).href);
  const registered = claims.slice(before);
  opened.set(file, registered);
  return registered;
}

async function answer(request: Request): Promise<Answer> {
  const registered = await open(request.file);
  if (request.kind === "open") {
    return { kind: "opened", listings: registered.map(({ name, options }) => ({ name, options })) };
  }
  const found = registered.find((claim) => claim.name === request.name);
  if (found === undefined) throw new TypeError(`${request.file} has no claim "${request.name}"`);
  const room = request.file.replace(/_claims\.ts$/, "");
  return { kind: "examined", verdict: await examine(room, found, request) };
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
