/** Claims about the documents as a whole: links lead somewhere, and the code in them runs. @module */
import { fileURLToPath } from "node:url";
import { decodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { denoIn, programOfPage } from "../../instruments/documented_code.ts";
import { documents } from "../../instruments/documents.ts";
import { measurements } from "../../report/measurements.ts";
import { condensedRun, readResultFiles } from "../../report/result_files.ts";
import { resultsPage } from "../../report/results_page.ts";

const root = new URL("../../../", import.meta.url);

/** Addresses in the links and pictures of a Markdown text; code is left out. */
function linksIn(text: string): string[] {
  const prose = text.replaceAll(/```[\s\S]*?```/g, "").replaceAll(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, address]) => address);
}

/** The anchors that a Markdown text has: its headings in lower case, with hyphens for blanks. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ +(.+)$/gm)]
    .map(([, heading]) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"));
}

claim(
  "every relative link in the documents leads to a file, and to a heading where it names one",
  async (check) => {
    const broken: string[] = [];
    let links = 0;
    const pages = (await documents()).filter((path) => path.endsWith(".md"));
    for (const page of pages) {
      const from = new URL(page, root);
      for (const link of linksIn(await Deno.readTextFile(from))) {
        if (/^[a-z]+:/.test(link)) continue;
        links++;
        const [path, anchor] = link.split("#");
        const to = path === "" ? from : new URL(path, from);
        const there = await Deno.stat(to).catch(() => null);
        const found = there !== null &&
          (anchor === undefined || anchorsOf(await Deno.readTextFile(to)).includes(anchor));
        if (!found) broken.push(`${page}: ${link}`);
      }
    }
    check.equal("links that lead nowhere", broken, [], "a reader follows them");
    check.atLeast("links", links, 80, "README and the pages of docs");
    const reached = new Set<string>();
    const visit = async (page: string): Promise<void> => {
      if (reached.has(page)) return;
      reached.add(page);
      for (const link of linksIn(await Deno.readTextFile(new URL(page, root)))) {
        const path = new URL(link.split("#")[0], new URL(page, root)).href.slice(root.href.length);
        if (pages.includes(path)) await visit(path);
      }
    };
    await visit("README.md");
    const shown = new Set<string>();
    for (const page of pages) {
      for (const link of linksIn(await Deno.readTextFile(new URL(page, root)))) {
        shown.add(new URL(link, new URL(page, root)).href.slice(root.href.length));
      }
    }
    const pictures = [...Deno.readDirSync(new URL("fixtures/gallery/", root))].map(({ name }) => name);
    const unseen = pictures.filter((name) => !shown.has(`fixtures/gallery/${name}`));
    check.equal("pictures that no page shows", unseen, [], "they stand in pages, beside their commands");
    const lost = pages.filter((page) => !reached.has(page) && !page.startsWith("fixtures/f"));
    check.equal(
      "pages that README does not lead to, over any number of links",
      lost,
      [],
      "else nobody finds them",
    );
  },
);

claim("the places that ARCHITECTURE.md names have what it says is there", async (check) => {
  const text = await Deno.readTextFile(new URL("ARCHITECTURE.md", root));
  const rows = [...text.matchAll(/^\| [^|]+\| `([^`|]+\.ts)` +\| `(\w+)` +\|$/gm)].map((
    [, path, name],
  ) => [path, name]);
  check.atLeast("places", rows.length, 12, "the table Where to look");
  const wrong: string[] = [];
  for (const [path, name] of rows) {
    const code = await Deno.readTextFile(new URL(path, root)).catch(() => "");
    if (!new RegExp(`\\b${name}\\b`).test(code)) wrong.push(`${path} has no ${name}`);
  }
  check.equal("names that are elsewhere", wrong, [], "a reader opens the file that is named");
});

claim("README is at most 150 lines long", async (check) => {
  const lines = (await Deno.readTextFile(new URL("README.md", root))).trimEnd().split("\n").length;
  check.atMost("lines", lines, 150, "a page that is read to its end");
});

claim(
  "the tour's program learns, draws a picture and finds the Gaussian's moments",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      const { code: program } = programOfPage("docs/tour.md");
      const lines = program.split("\n").filter((line) => line !== "").length;
      check.atMost("lines of code", lines, 70, "about sixty, which README promises");
      await Deno.writeTextFile(`${folder}/tour.ts`, program);
      const { success, stdout, stderr } = await denoIn(
        folder,
        "run",
        "--no-check",
        "--no-lock",
        "--no-prompt",
        "--allow-read",
        "--allow-write=tour.png",
        "tour.ts",
      );
      if (!success) throw new Error(stderr);
      const { losses, average, spread } = JSON.parse(stdout);
      check.within(
        "first loss",
        losses[0],
        1,
        0.15,
        "targets of unit variance (Karras et al. 2022, Table 1)",
      );
      check.atMost("last loss", losses.at(-1), 0.6, "a network that has learned nothing stays at 1");
      // The flow keeps x_T's place in standard deviations; the prior's mean is 0 where p_T's is 1 of 40.
      const source =
        "N(1, ¼): 6 standard errors of 4,000 draws, and the prior's mean, which is 1/40 of ½ off";
      check.within("mean of the Gaussian's draws", average, 1, 6 * 0.5 / Math.sqrt(4000) + 0.5 / 40, source);
      check.within("their standard deviation", spread, 0.5, 6 * 0.5 / Math.sqrt(8000), source);
      const { width, height } = await decodePng(await Deno.readFile(`${folder}/tour.png`));
      check.equal("the picture's size", [width, height], [2 + 5 * 86, 2 + 4 * 86], "20 digits in 5 columns");
    }),
);

/** A Markdown text as `deno fmt` writes it. */
async function formatted(text: string): Promise<string> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=md", `--config=${fileURLToPath(new URL("deno.json", root))}`, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout } = await process.output();
  return new TextDecoder().decode(stdout);
}

claim(
  "the page of results has the numbers of the files beside it, and each names its command",
  async (check) => {
    const page = await Deno.readTextFile(new URL("docs/results.md", root));
    const files = await readResultFiles(new URL("docs/results/", root));
    check.equal("docs/results.md", page === await formatted(resultsPage(files)), true, "deno task results");
    const commands = [...files.measured.values()].map(({ command }) => command);
    check.equal(
      "commands that it does not name",
      commands.filter((command) => !page.includes(command)),
      [],
      "",
    );
    for (const { name, command } of measurements) {
      const stored = files.measured.get(name);
      if (stored === undefined) continue;
      check.equal(`command of ${name}`, stored.command, ["deno task", ...command].join(" "), "what makes it");
    }
    check.holds(
      "Fréchet distance",
      page.includes("| 2.37; of as many training images 2.39 "),
      "evaluate.json: 2.371",
    );
    const run = {
      verdicts: ["passed", "passed", "failed"].map((outcome, i) => ({
        area: i === 1 ? "networks/a" : "samplers/a",
        name: `${i}`,
        engine: "wasm",
        milliseconds: 1,
        outcome,
        comparisons: Array(i + 2).fill({}),
        plots: [],
        tables: [],
      })),
      totals: { passed: 2, failed: 1, skipped: 0, comparisons: 9, seed: 1, seconds: 1, alarmRate: 0 },
      command: "deno task verify",
      when: "2026-01-01T00:00:00Z",
      commit: "abc",
    };
    const [[, summary]] = condensedRun(run) as [string, { subjects: unknown }][];
    check.equal("subjects", summary.subjects, [["Networks", 1, 3], ["Samplers", 1, 2]], "counted by hand");
    const partial = condensedRun({ ...run, command: "deno task verify --areas samplers" });
    check.equal("files from a run of some areas", partial, [], "it has not the totals of the suite");
  },
);
