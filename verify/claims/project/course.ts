/** Claims about the course: its programs run, print what its pages say, and draw their pictures. @module */
import { registryFacts } from "../../../site/build/registry.ts";
import { readHash } from "../../../site/settings/hash.ts";
import { panelFields } from "../../../site/settings/panels.ts";
import { decodePng } from "../../../src/images/png.ts";
import { denoIn, programOfPage } from "../../instruments/documented_code.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim } from "../../suite/claim.ts";

const folder = new URL("../../../docs/course/", import.meta.url);

/** The pages of chapters in order. */
const chapters = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
  /^\d.*\.md$/.test(name)
).sort();

/** A page's text. */
const textOf = (name: string) => Deno.readTextFileSync(new URL(name, folder));

/** Words and numbers of a text, in order. */
const tokens = (text: string) => text.trim().split(/[\s,[\]:;]+/).filter((token) => token !== "");

claim(
  "the course has eight chapters of one form, which its index lists in order and which lead to each other",
  (check) => {
    check.equal("chapters", chapters.length, 8, "scores, matching, levels, NCSN, DDPM, SDEs, flow, control");
    const index = textOf("README.md");
    check.equal(
      "in the index",
      [...index.matchAll(/\]\((\d[^)]*\.md)\)/g)].map(([, name]) => name),
      chapters,
      "in order",
    );
    chapters.forEach((name, at) => {
      const text = textOf(name);
      const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, words]) => words);
      check.equal(`${name}: headings`, headings, ["In code", "Exercise", "Play"], "every chapter's");
      const parts = {
        "one program": /```ts\n/g,
        "what it prints": /```text\n/g,
        "its picture": new RegExp(`\\]\\(${name.replace(".md", ".png")}\\)`, "g"),
        "an answer": /<details><summary>Answer<\/summary>\n[^]*<\/details>/g,
        "sources": /\*\*Sources\.\*\*/g,
      };
      for (const [part, pattern] of Object.entries(parts)) {
        check.equal(`${name}: ${part}`, [...text.matchAll(pattern)].length, 1, "once");
      }
      const equations = [...text.matchAll(/^ *\((\d)\.(\d)\) {2}/gm)].map(([, chapter, number]) =>
        `${chapter}.${number}`
      );
      check.equal(
        `${name}: equations`,
        equations,
        equations.map((_, i) => `${at + 1}.${i + 1}`),
        "numbered in order",
      );
      check.holds(`${name}: equations`, equations.length > 0, "every chapter has some");
      const others = [chapters[at - 1], chapters[at + 1]].filter((other) => other !== undefined);
      for (const other of others) {
        check.holds(`${name}: leads to ${other}`, text.includes(`](${other})`), "its neighbours");
      }
      const cited = [...text.replaceAll(/```[^]*?```/g, "").matchAll(/\((\d\.\d)\)/g)].map(([, number]) =>
        number
      );
      const known = chapters.flatMap((page, i) =>
        [...textOf(page).matchAll(/^ *\(\d\.(\d)\) {2}/gm)].map(([, number]) => `${i + 1}.${number}`)
      );
      check.equal(
        `${name}: equations that there are not`,
        cited.filter((number) => !known.includes(number)),
        [],
        "cited",
      );
    });
  },
);

claim("every chapter's page of the playground is one, with settings that it has", (check) => {
  const panels = panelFields(registryFacts());
  for (const name of chapters) {
    const play = /^## Play\n([^]*?)\n\*\*Sources/m.exec(textOf(name))![1];
    const addresses = [...play.matchAll(/`(#[^`]+)`/g)].map(([, address]) => address);
    check.atLeast(`${name}: addresses`, addresses.length, 1, "one at least");
    for (const address of addresses) {
      const { panel, problem } = readHash(address, panels);
      check.equal(`${name}: ${address}`, problem, null, "site/settings");
      check.holds(
        `${name}: ${address} is of ${panel}`,
        address.startsWith(`#${panel}`),
        "else another panel is shown",
      );
    }
  }
});

claim("the course's programs print what its pages say, and draw the pictures beside them", {
  engines: ["wasm"],
}, (check) =>
  withFolder(async (work) => {
    await Deno.writeTextFile(`${work}/deno.json`, "{}");
    for (const name of chapters) {
      await Deno.writeTextFile(`${work}/${name}.ts`, programOfPage(`docs/course/${name}`).code);
    }
    // One process: most of what a program takes is the library.
    await Deno.writeTextFile(
      `${work}/all.ts`,
      `const printed = {};
for (const name of ${JSON.stringify(chapters)}) {
  printed[name] = [];
  console.log = (...words) => printed[name].push(words.join(" "));
  await import("./" + name + ".ts");
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(printed)));
`,
    );
    const permissions = ["--no-prompt", "--allow-read", "--allow-write", "--allow-env", "--allow-sys"];
    const run = await denoIn(work, "run", "--no-check", "--no-lock", ...permissions, "all.ts");
    if (!run.success) {
      throw new Error(run.stderr.slice(-1500));
    }
    const printed = JSON.parse(run.stdout) as Record<string, string[]>;
    for (const name of chapters) {
      const stated = tokens(/```text\n([^]*?)```/.exec(textOf(name))![1]);
      const found = tokens(printed[name].join("\n"));
      const words = (list: readonly string[]) => list.filter((token) => Number.isNaN(Number(token)));
      const numbers = (list: readonly string[]) => list.map(Number).filter((number) => !Number.isNaN(number));
      check.equal(`${name}: words`, words(found), words(stated), "the page");
      const [are, say] = [numbers(found), numbers(stated)];
      check.equal(`${name}: how many numbers`, are.length, say.length, "the page");
      const off = are.map((number, i) => Math.abs(number - say[i]) / (0.011 + 0.02 * Math.abs(say[i])));
      check.atMost(
        `${name}: the furthest number from the page's`,
        Math.max(...off),
        1,
        "their last digit, or 2%: engines round differently",
      );
      const file = name.replace(".md", ".png");
      const [drawn, shown] = await Promise.all(
        [`${work}/${file}`, new URL(file, folder)].map(async (path) =>
          await decodePng(await Deno.readFile(path))
        ),
      );
      check.equal(`${file}: size`, [drawn.width, drawn.height], [shown.width, shown.height], "the program's");
      const changed = drawn.data.filter((byte, i) => Math.abs(byte - shown.data[i]) > 64).length /
        drawn.data.length;
      check.atMost(
        `${file}: share of bytes that differ by a quarter`,
        changed,
        0.02,
        "curves and dots move by a pixel",
      );
    }
  }));
