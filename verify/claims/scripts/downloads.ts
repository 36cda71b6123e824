/** Claims about downloads that never end, stall, are too large or are not what they should be. @module */
import { readPublished } from "../../../scripts/datasets/published_files.ts";
import { download } from "../../../src/input/download.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { gzip } from "../../instruments/file_writers.ts";

/** Serves an answer on a free port of this machine while `use` runs. */
async function withServer(
  answer: () => Response | Promise<Response>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: stop.signal },
    answer,
  );
  try {
    await use(`http://127.0.0.1:${server.addr.port}/`);
  } finally {
    // Not a shutdown, which waits for answers that never end.
    stop.abort();
  }
}

/** A stream of pieces of a kilobyte: as many as given, and then nothing more without an end. */
function pieces(count: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent++ < count) controller.enqueue(new Uint8Array(1000));
      else return new Promise(() => {});
    },
  });
}

/** What a promise comes to, or an error after five seconds. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("not given up in 5 seconds")), 5000);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

claim("a download is aborted when it stalls, and when it is larger than allowed", async (check) => {
  const cases: [what: string, answer: () => Response, message: RegExp, patience?: number][] = [
    ["nothing after the first piece", () => new Response(pieces(1)), /^nothing came for 0\.3 seconds$/, 0.3],
    ["no end", () => new Response(pieces(Infinity)), /^it has more than 5000 bytes$/],
    [
      "a length above the limit",
      () => new Response(new Uint8Array(6000)),
      /^it has 6000 bytes, at most 5000 are taken$/,
    ],
    ["a refusal", () => new Response("no", { status: 503 }), /^HTTP 503$/],
  ];
  // A busy machine may send nothing for long: only a stall is waited for.
  for (const [what, answer, message, patience = 60] of cases) {
    await withServer(answer, async (url) => {
      const before = performance.now();
      await check.throws(what, () => soon(download(url, { most: 5000, patience })), message);
      check.atMost(
        `${what}: seconds`,
        (performance.now() - before) / 1000,
        5,
        "a patience of .3 s, and a busy machine",
      );
    });
  }
  await withServer(() => new Promise<Response>(() => {}), async (url) => {
    await check.throws(
      "no answer",
      () => soon(download(url, { patience: 0.3 })),
      /^nothing came for 0\.3 seconds$/,
    );
  });
  await check.throws(
    "no server",
    () => download("http://127.0.0.1:9/"),
    /^the server cannot be reached, or ended before all was sent$/,
  );
  await withServer(() => new Response(new Uint8Array(5000).fill(7)), async (url) => {
    const seen: number[] = [];
    const onProgress = (received: number, total: number) => seen.push(received, total);
    const bytes = await download(url, { most: 5000, onProgress });
    check.equal("all of it", bytes, new Uint8Array(5000).fill(7), "as sent");
    check.equal("progress at its end", seen.slice(-2), [5000, 5000], "bytes received, and their number");
  });
  const unknown = () => new Response(new Blob([new Uint8Array(3000)]).stream());
  await withServer(unknown, async (url) => {
    const totals: number[] = [];
    await download(url, { onProgress: (_, total) => totals.push(total) });
    check.equal("a number that is not said", [...new Set(totals)], [0], "0 bytes are expected");
  });
});

claim("a file is unpacked only after its digest was compared", (check) =>
  withFolder(async (folder) => {
    // Unpacked first, it would be refused as damaged gzip.
    const damaged = (await gzip(new Uint8Array(1000))).slice(0, 20);
    const file = {
      name: "a.gz",
      sha256: "0".repeat(64),
      digestOf: "packed",
      mirrors: [],
      advice: "it is nowhere",
    } as const;
    await withServer(() => new Response(damaged), async (url) => {
      await check.throws(
        "another file",
        () => readPublished(file, folder, { mirrors: [url], report: () => {} }),
        /^it is nowhere; tried .*a\.gz \(SHA-256 is [0-9a-f]{12}…, expected 000000000000…\)$/,
      );
    });
  }));
