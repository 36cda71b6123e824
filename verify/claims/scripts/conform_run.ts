/** Claims about deno task conform: what it tells the program, what it prints and writes, and the tutorial. @module */
import { fileURLToPath } from "node:url";
import { propertyNames } from "../../../src/conformance/mod.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { type Run, run } from "../../instruments/run_task.ts";
import { claim } from "../../suite/claim.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Measures verify/problems/conformance_program.ts, a correct Euler–Maruyama. */
function measure(flags: readonly string[], behaviour: string, folder: string): Promise<Run> {
  const program = [
    Deno.execPath(),
    "run",
    "-A",
    "--no-lock",
    `${root}verify/problems/conformance_program.ts`,
  ];
  return run("conform", ...flags, "--", ...program, behaviour, folder);
}

/** The levels of a run at time t by the papers' formulas: α, σ, f, g. */
type Levels = (t: number) => readonly [alpha: number, sigma: number, drift: number, diffusion: number];

const vp = (least: number, most: number): Levels => (t) => {
  const beta = least + t * (most - least);
  const alpha = Math.exp(-(least * t + t * t * (most - least) / 2) / 2);
  return [alpha, Math.sqrt(1 - alpha ** 2), -beta / 2, Math.sqrt(beta)];
};

const ve = (least: number, most: number): Levels => (t) => {
  const sigma = least * (most / least) ** t;
  return [1, sigma, 0, sigma * Math.sqrt(2 * Math.log(most / least))];
};

const runs:
  readonly (readonly [flags: string, sde: object, times: readonly [number, number], levels: Levels])[] = [
    ["", { kind: "vp", betaMin: 0.1, betaMax: 20, tMin: 1e-3, tMax: 1 }, [1, 1e-3], vp(0.1, 20)],
    [
      "--sde vp --beta-min 0.2 --beta-max 10 --t-min 0.01 --grid quadratic",
      { kind: "vp", betaMin: 0.2, betaMax: 10, tMin: 0.01, tMax: 1 },
      [1, 0.01],
      vp(0.2, 10),
    ],
    [
      "--sde ve --grid karras",
      { kind: "ve", sigmaMin: 0.01, sigmaMax: 50, tMin: 1e-5, tMax: 1 },
      [1, 1e-5],
      ve(0.01, 50),
    ],
    [
      "--sde subvp --grid log-snr",
      { kind: "subvp", betaMin: 0.1, betaMax: 20, tMin: 1e-3, tMax: 1 },
      [1, 1e-3],
      (t) => {
        const [alpha, , drift] = vp(0.1, 20)(t);
        // Song et al. 2021, eq. 29: g² = β (1 − e^{−2∫β}), and σ = 1 − e^{−∫β}.
        return [alpha, 1 - alpha ** 2, drift, Math.sqrt(-2 * drift * (1 - alpha ** 4))];
      },
    ],
    [
      "--sde sigma-power --sigma 10",
      { kind: "sigma-power", sigma: 10, tMin: 1e-3, tMax: 1 },
      [1, 1e-3],
      (t) => [1, Math.sqrt((10 ** (2 * t) - 1) / (2 * Math.log(10))), 0, 10 ** t],
    ],
    [
      "--sde edm --grid karras --sigma-max 20",
      { kind: "edm", tMin: 0.002, tMax: 20 },
      [20, 0.002],
      (t) => [1, t, 0, Math.sqrt(2 * t)],
    ],
  ];

claim(
  "the run that a program is given is that of the flags, by the papers' formulas",
  (check) =>
    withFolder(async (folder) => {
      for (const [flags, sde, ends, levels] of runs) {
        const words = [...flags.split(" ").filter((word) => word !== ""), "--only", "first_level"];
        const { code, stderr } = await measure(words, "keeps-run", folder);
        check.equal(`${flags}: exit code`, code, 0, stderr);
        const message = JSON.parse(await Deno.readTextFile(`${folder}/run.json`));
        check.equal(`${flags}: sde`, message.sde, sde, "docs/conformance.md");
        const times: number[] = message.times;
        check.equal(`${flags}: ends`, [times[0], times.at(-1)], ends, "from tMax to tMin");
        check.equal(`${flags}: levels`, times.length, message.steps + 1, "N steps have N + 1");
        const names = ["alphas", "sigmas", "drifts", "diffusions"];
        const worst = names.map((name, at) =>
          Math.max(
            ...times.map((t, i) =>
              Math.abs(message[name][i] - levels(t)[at]) / (Math.abs(levels(t)[at]) || 1)
            ),
          )
        );
        check.atMost(
          `${flags}: relative errors of ${names}`,
          Math.max(...worst),
          1e-8,
          "closed forms; 1 − α² is rounded",
        );
      }
    }),
);

claim(
  "conform prints a line a property, as JSON an object, as Markdown a table, and writes a page",
  (check) =>
    withFolder(async (folder) => {
      const chosen = ["first_level", "rows", "repeat"];
      const only = ["--only", chosen.join(",")];
      const page = `${folder}/page.html`;
      const lines = await measure([...only, "--report", page], "named", folder);
      check.equal("exit code and stderr", [lines.code, lines.stderr], [0, ""], "it is correct");
      const names = lines.stdout.split("\n").flatMap((line) => /^ok {3}(\w+): /.exec(line)?.[1] ?? []);
      check.equal("lines", names, ["conversation", ...chosen], "conversation comes before all");
      check.holds("the totals", /\n.*: 4 hold, 0 fail, .* s\n/.test(lines.stdout), lines.stdout.slice(-200));
      check.holds("no control characters", !lines.stdout.includes("\u001b"), "names are the program's");

      const html = await Deno.readTextFile(page);
      check.holds("the name on the page", html.includes("&#60;script&#62;alert(1)"), "it is text");
      const outside = [...html.matchAll(/\b(?:src|href)="?(?!#)[^"> ]+|<script|@import|url\(/g)].map((
        [found],
      ) => found);
      check.equal("what the page fetches or runs", outside, [], "one self-contained file");
      check.holds(
        "properties on the page",
        chosen.every((name) => html.includes(`<b>${name}</b>`)),
        "--only",
      );

      const declare = ["--declare", "order=1", "--declare", "process=sde,evaluations=1"];
      const { stdout } = await measure([...only, ...declare, "--json"], "named", folder);
      const report = JSON.parse(stdout);
      const told = report.properties.map((
        { name, verdict }: { name: string; verdict: string },
      ) => [name, verdict]);
      check.equal("JSON", told, ["conversation", ...chosen].map((name) => [name, "holds"]), "the same");
      check.equal("sampler", report.sampler.noise, "given", "what the program said");
      const declares = { order: 1, process: "sde", evaluationsPerStep: 1 };
      check.equal(
        "declarations",
        report.sampler.declares,
        declares,
        "the flags', of which there may be several",
      );

      const markdown = (await measure([...only, "--markdown"], "named", folder)).stdout;
      const rows = markdown.split("\n").filter((line) => /^\| ✅ \| .*\|$/.test(line));
      check.equal("rows of the table", rows.length, 4, "one a property");
      check.equal(
        "columns",
        rows.map((row) => row.replace(/\\./g, "").split("|").length),
        [6, 6, 6, 6],
        "text ends no cell",
      );
      check.holds(
        "its name",
        markdown.includes("\\<script\\>alert(1)"),
        "GitHub shows it and does not take it for HTML",
      );
    }),
);

claim(
  "what cannot be written is said before the program starts, with exit code 2",
  (check) =>
    withFolder(async (folder) => {
      const { code, stderr } = await measure(["--report", `${folder}/none/page.html`], "", folder);
      check.equal("exit code", code, 2, stderr);
      check.holds(
        stderr.trim(),
        /^error: cannot write ".*page.html": there is no folder ".*none"\n$/.test(stderr),
        "a sentence",
      );
      check.equal("programs started", [...Deno.readDirSync(folder)].length, 0, "it would leave its number");
    }),
);

claim("a program that refuses its runs is told of in its own words", (check) =>
  withFolder(async (folder) => {
    const { code, stdout, stderr } = await measure([], "refuses", folder);
    check.equal("exit code", code, 1, stderr);
    const words = "the program says of run 2 of 128 steps: needs 1000 steps or more";
    check.holds(
      stdout.split("\n").slice(0, 2).join("; "),
      stdout.startsWith("FAIL conversation") && stdout.includes(words),
      words,
    );
  }));

const tutorial = Deno.readTextFileSync(`${root}docs/conformance.md`);
const [, sampler] = /```python\n([\s\S]*?)```/.exec(tutorial)!;
const client = `${root}examples/conformance/score_sde_conformance.py`;

claim("the tutorial's sampler conforms, and its wrong one is told the words that the page has", {
  needs: ["numpy"],
}, (check) =>
  withFolder(async (folder) => {
    await Deno.copyFile(client, `${folder}/score_sde_conformance.py`);
    const conform = async (code: string, ...flags: string[]) => {
      await Deno.writeTextFile(`${folder}/my_sampler.py`, code);
      return await run("conform", ...flags, "--", "python3", `${folder}/my_sampler.py`);
    };
    const right = await conform(sampler);
    const failing = right.stdout.split("\n").filter((line) => line.startsWith("FAIL"));
    check.equal("what fails of the right one", failing, [], "Song et al. 2021, eq. 6");
    check.equal("its exit code", right.code, 0, right.stderr);
    const wrong = sampler.replace("np.sqrt(h)", "h");
    check.holds("the change", wrong !== sampler, "it is in the page's words");
    const page = `${folder}/page.html`;
    const { code, stdout } = await conform(wrong, "--report", page, "--only", "noise_draws");
    check.equal("exit code of the wrong one", code, 1, "a property fails");
    const [, said, words] = /```text\n(FAIL .*)\n +(.*)\n```/.exec(tutorial)!;
    const found = stdout.split("\n");
    const at = found.findIndex((line) => line.startsWith(said));
    check.holds(
      `${found[at]}; ${found[at + 1]}`,
      at >= 0 && found[at + 1].trim() === words,
      `${said}; ${words}`,
    );
    const html = await Deno.readTextFile(page);
    const first = html.indexOf(words);
    check.holds(
      "first on the page",
      first > 0 && first < html.indexOf("<table"),
      "failures come before the table",
    );
  }));

claim("docs/conformance.md lists every property, and no other", (check) => {
  const rows = [...tutorial.matchAll(/^\| `(\w+)` +\| .*\|$/gm)].map(([, name]) => name);
  const listed = rows.slice(
    rows.indexOf("conversation"),
    rows.indexOf("conversation") + propertyNames.length,
  );
  check.equal("rows", listed, propertyNames, "src/conformance/conform.ts");
  const fields = tutorial.slice(
    tutorial.indexOf("| property "),
    tutorial.indexOf("### What is not measured"),
  );
  check.equal("number of rows", fields.match(/^\| `/gm)?.length, propertyNames.length, "one a property");
});
