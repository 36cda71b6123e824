/** Claims about the server of the playground: it gives the folder's files to this machine, and nothing else. @module */
import { serveFolder } from "../../../site/build/server.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

/** The status line and the headers of an answer to a path that is sent as it is: fetch would tidy it. */
async function answerTo(port: number, path: string, method = "GET"): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const bytes = await new Response(connection.readable).text();
  return bytes;
}

claim("the server gives a folder's files with their types, and no file of another folder", {
  engines: ["wasm"],
}, async (check) => {
  await withFolder(async (parent) => {
    const folder = `${parent}/site`;
    await Deno.mkdir(`${folder}/inner`, { recursive: true });
    await Deno.writeTextFile(`${parent}/secret.js`, "secret");
    await Deno.writeTextFile(`${folder}/inner/deep.js`, "secret");
    await Deno.writeTextFile(`${folder}/notes.txt`, "secret");
    await Deno.writeTextFile(`${folder}/.hidden.js`, "secret");
    for (const name of ["index.html", "page.js", "style.css", "a.wasm", "b.safetensors"]) {
      await Deno.writeTextFile(`${folder}/${name}`, `the ${name}`);
    }
    const server = serveFolder(folder, 0);
    try {
      const { port, hostname } = new URL(server.url);
      check.equal("host", hostname, "127.0.0.1", "this machine alone");
      const types = [
        ["/", "text/html; charset=utf-8", "the index.html"],
        ["/page.js?x=1", "text/javascript; charset=utf-8", "the page.js"],
        ["/style.css", "text/css; charset=utf-8", "the style.css"],
        ["/a.wasm", "application/wasm", "the a.wasm"],
        ["/b.safetensors", "application/octet-stream", "the b.safetensors"],
      ];
      for (const [path, type, text] of types) {
        const response = await fetch(new URL(path, server.url));
        check.equal(path, [response.status, response.headers.get("content-type"), await response.text()], [
          200,
          type,
          text,
        ], "the file");
      }
      const others = [
        "/../secret.js",
        "/..%2fsecret.js",
        "/%2e%2e/secret.js",
        "/inner/deep.js",
        "/inner/../../secret.js",
        "/.hidden.js",
        "/notes.txt",
        "/missing.js",
        "//secret.js",
        "/page.js/",
        "/page.js%00",
        "/constructor",
      ];
      for (const path of others) {
        const answer = await answerTo(Number(port), path);
        check.holds(
          `${path}: ${answer.split("\r\n")[0]}`,
          /^HTTP\/1\.1 40[04]/.test(answer) && !answer.includes("secret\n") && !/\r\n\r\nsecret/.test(answer),
          "no file of the folder itself",
        );
      }
      check.holds(
        "POST",
        (await answerTo(Number(port), "/page.js", "POST")).startsWith("HTTP/1.1 405"),
        "files are only read",
      );
      const head = await answerTo(Number(port), "/page.js", "HEAD");
      check.holds("HEAD", head.startsWith("HTTP/1.1 200") && head.endsWith("\r\n\r\n"), "headers alone");
      await check.throws(
        "a port that is taken",
        () => serveFolder(folder, Number(port)),
        /[Aa]ddress already in use/,
      );
    } finally {
      await server.stop();
    }
  });
});
