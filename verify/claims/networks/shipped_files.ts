/** Claims about the files that modules fetch: what arrives is what was shipped, or it is refused. @module */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { fetchShipped, SHIPPED_FILES } from "../../../src/input/shipped_file.ts";
import { claim } from "../../suite/claim.ts";

const fixtures = fileURLToPath(new URL("../../../fixtures/", import.meta.url));
/** Where a shipped file lies. */
const pathOf = (name: string) => `${fixtures}${name.endsWith(".ttf") ? "fonts" : "models"}/${name}`;
const names = Object.keys(SHIPPED_FILES) as (keyof typeof SHIPPED_FILES)[];

/** The source files of a folder and of those in it. */
async function sources(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await sources(`${folder}${name}/`));
    else if (name.endsWith(".ts")) found.push(await Deno.readTextFile(folder + name));
  }
  return found;
}

claim("the digests that fetched files are compared with are those of the shipped files", async (check) => {
  for (const name of names) {
    const bytes = await Deno.readFile(pathOf(name));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const { bytes: length, sha256: stated } = SHIPPED_FILES[name];
    check.equal(
      name,
      { bytes: length, sha256: stated },
      { bytes: bytes.length, sha256 },
      "the file in fixtures/",
    );
  }
  const own = await sources(fileURLToPath(new URL("../../../src/", import.meta.url)));
  const asked = own.flatMap((text) =>
    [...text.matchAll(/fixtures\/\w+\/([\w.]+\.\w+)", import/g)].map(([, name]) => name)
  );
  check.equal("files that src/ names", [...new Set(asked)].sort(), [...names].sort(), "each has a digest");
});

claim("a shipped file that arrives changed, cut or longer is refused in one sentence", async (check) => {
  const name = "noisy_classifier.safetensors";
  const whole = await Deno.readFile(pathOf(name));
  const changed = whole.slice();
  changed[changed.length >> 1] ^= 1;
  let sent = 0;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65536;
        controller.enqueue(new Uint8Array(65536));
      },
    });
  const bodies: Record<string, () => BodyInit> = {
    "/whole": () => whole,
    "/changed": () => changed,
    "/cut": () => whole.subarray(0, -1),
    "/longer": () => new Blob([whole, new Uint8Array(1)]),
    "/endless": endless,
  };
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = new URL(request.url).pathname;
    return Object.hasOwn(bodies, path) ? new Response(bodies[path]()) : new Response("none", { status: 404 });
  });
  const at = (path: string) => `http://127.0.0.1:${server.addr.port}${path}`;
  check.equal("as it is", await fetchShipped(name, at("/whole")), whole, "the same bytes");
  const other = /^http:\/\/127\.0\.0\.1:\d+\/\w+ is not the file that belongs to this version: /.source;
  const digest = new RegExp(`${other}its SHA-256 is [0-9a-f]{64}, not ${SHIPPED_FILES[name].sha256}$`);
  await check.throws("one bit changed", () => fetchShipped(name, at("/changed")), digest);
  await check.throws("one byte cut off", () => fetchShipped(name, at("/cut")), digest);
  const longer = new RegExp(`${other}it has more than ${whole.length} bytes$`);
  await check.throws("one byte more", () => fetchShipped(name, at("/longer")), longer);
  await check.throws("an answer without an end", () => fetchShipped(name, at("/endless")), longer);
  check.atMost("bytes that it sent", sent, 16 * whole.length, "the answer is left where it is too long");
  await check.throws(
    "none",
    () => fetchShipped(name, at("/none")),
    /^could not fetch http:.*: 404 Not Found$/,
  );
});
