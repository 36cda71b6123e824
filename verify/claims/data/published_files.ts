/** Claims about where MNIST is found, and about downloads, against a server on this machine. @module */
import { MNIST_FILES, MNIST_MIRRORS, type MnistFile } from "../../../src/data/mnist.ts";
import type { DataPlaces } from "../../../scripts/datasets/published_files.ts";
import { findFile } from "../../../scripts/datasets/mnist.ts";
import { type Check, claim } from "../../suite/claim.ts";
import { mnistFiles } from "../../reference/mnist_files.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { gzip } from "../../instruments/file_writers.ts";

const content = new TextEncoder().encode("the bytes that everybody should get");
const file: MnistFile = {
  name: "some-idx1-ubyte",
  sha256: "d77da5f1232027a6eecfb11655690b223baabf0b8ea40b66ff9ed0fcd98209a7",
};

/** Serves answers by path on a free port of this machine while `use` runs, with an empty cache folder. */
async function withServer(
  answers: Readonly<Record<string, Uint8Array<ArrayBuffer> | number>>,
  use: (places: (mirrors: string[]) => DataPlaces, requests: string[], folder: string) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const path = new URL(request.url).pathname;
    requests.push(path);
    const answer = answers[path] ?? 404;
    return typeof answer === "number" ? new Response("no", { status: answer }) : new Response(answer);
  });
  try {
    const base = `http://127.0.0.1:${server.addr.port}`;
    await withFolder((folder) =>
      use(
        (mirrors) => ({
          data: "",
          cache: `${folder}/cache/mnist`,
          mirrors: mirrors.map((mirror) => `${base}/${mirror}/`),
          report: () => {},
        }),
        requests,
        folder,
      )
    );
  } finally {
    await server.shutdown();
  }
}

claim(
  "a download skips a dead and a corrupted mirror, keeps the intact file, and is made once",
  async (check) => {
    const answers = {
      "/dead/some-idx1-ubyte.gz": 503,
      "/corrupted/some-idx1-ubyte.gz": await gzip(content.map((byte, at) => at === 3 ? byte ^ 1 : byte)),
      "/cut/some-idx1-ubyte.gz": (await gzip(content)).slice(0, 30),
      "/good/some-idx1-ubyte.gz": await gzip(content),
    };
    await withServer(answers, async (places, requests, folder) => {
      const all = places(["missing", "dead", "corrupted", "cut", "good", "never"]);
      check.equal("bytes", await findFile(file, all), content, "one changed bit is another file");
      const tried = ["missing", "dead", "corrupted", "cut", "good"].map((m) => `/${m}/some-idx1-ubyte.gz`);
      check.equal("mirrors asked, in order", requests, tried, "the first right answer ends the search");
      check.equal(
        "files in the cache",
        names(`${folder}/cache/mnist`),
        ["some-idx1-ubyte.gz"],
        "nothing half-written stays",
      );
      check.equal("bytes, again", await findFile(file, all), content, "from the cache");
      check.equal("requests then", requests.length, tried.length, "no second download");
      await Deno.writeFile(`${folder}/cache/mnist/some-idx1-ubyte.gz`, await gzip(new Uint8Array(9)));
      check.equal(
        "bytes after the cache was damaged",
        await findFile(file, places(["good"])),
        content,
        "the cache is checked too",
      );
    });
  },
);

claim(
  "when every mirror fails, one sentence says how to get the data and lists what was tried",
  async (check) => {
    const answers = { "/corrupted/some-idx1-ubyte.gz": await gzip(new Uint8Array(5)) };
    await withServer(answers, async (places, _requests, folder) => {
      const attempt = () => findFile(file, places(["dead", "corrupted"]));
      await check.throws(
        "how to get it",
        attempt,
        /put some-idx1-ubyte\.gz .*--data FOLDER .*SCORE_SDE_DATA/,
      );
      await check.throws("the dead mirror", attempt, /dead\/some-idx1-ubyte\.gz \(HTTP 404\)/);
      await check.throws(
        "the corrupted mirror",
        attempt,
        /corrupted\/some-idx1-ubyte\.gz \(SHA-256 is .*, expected /,
      );
      await Deno.mkdir(`${folder}/cache/mnist`, { recursive: true });
      check.equal("files in the cache", names(`${folder}/cache/mnist`), [], "wrong bytes are never kept");
    });
  },
);

claim(
  "a folder given by the user may hold plain or gzipped files, with or without a mnist folder",
  async (check) => {
    await withServer({}, async (places, requests, folder) => {
      await Deno.mkdir(`${folder}/plain`);
      await Deno.writeFile(`${folder}/plain/some-idx1-ubyte`, content);
      await Deno.mkdir(`${folder}/packed/mnist`, { recursive: true });
      await Deno.writeFile(`${folder}/packed/mnist/some-idx1-ubyte.gz`, await gzip(content));
      for (const place of ["plain", "packed"]) {
        const found = await findFile(file, { ...places(["never"]), data: `${folder}/${place}` });
        check.equal(place, found, content, "the file's own bytes");
      }
      const empty = () => findFile(file, { ...places(["never"]), data: folder });
      await check.throws(
        "a folder without it",
        empty,
        /no some-idx1-ubyte\.gz or some-idx1-ubyte in .*\/mnist$/,
      );
      check.equal("requests", requests, [], "a folder was named, so nothing is downloaded");
    });
  },
);

claim("the four files of MNIST and their mirrors are well-formed", (check: Check) => {
  const files = Object.values(MNIST_FILES).flatMap(({ images, labels }) => [images, labels]);
  const named = (split: "train" | "test") => {
    const { images, labels } = MNIST_FILES[split];
    return { images: images.name, labels: labels.name };
  };
  check.equal("names", { train: named("train"), test: named("test") }, mnistFiles, "the published ones");
  check.holds("hashes", files.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256)), "SHA-256 in hexadecimal");
  check.holds(
    "mirrors",
    MNIST_MIRRORS.every((url) => /^https:\/\/.*\/$/.test(url)),
    "https, ending in a slash",
  );
});

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map((entry) => entry.name);
}
