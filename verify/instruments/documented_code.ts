/**
 * The programs in docstrings and pages, as files of a folder: in one folder they are type-checked at once and run in one process, as
 * most of what either takes is the library.
 * @module
 */
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);

/** Pages whose code blocks are a program each. */
const pages = [
  "docs/conditioning.md",
  "docs/external_models.md",
  "docs/own_data.md",
  "docs/likelihood.md",
  "docs/notation.md",
  "docs/pictures.md",
  "docs/own_sampler.md",
  "docs/own_score.md",
  "docs/own_sde.md",
  "docs/pytorch.md",
];

/** A program in a docstring or a page. */
export interface DocumentedProgram {
  /** Its file's path from the root, and the line of its first line there. */
  readonly name: string;
  /** With addresses of this checkout's modules in the place of relative ones. */
  readonly code: string;
}

/** Every @example of mod.ts and src/, and every code block of the pages that have programs of their own. */
export function documentedExamples(): DocumentedProgram[] {
  const sources = ["mod.ts", ...sourcesBelow("src/")];
  return [
    ...sources.flatMap((path) => programsIn(path, /@example[^`]*```ts\n([\s\S]*?)```/g)),
    ...pages.flatMap((path) => programsIn(path, /```ts\n([\s\S]*?)```/g)),
  ];
}

/** The TypeScript blocks of a page end to end. */
export function programOfPage(path: string): DocumentedProgram {
  const code = programsIn(path, /```ts\n([\s\S]*?)```/g).map((part) => part.code).join("");
  return { name: path, code };
}

function programsIn(path: string, blocks: RegExp): DocumentedProgram[] {
  const text = Deno.readTextFileSync(new URL(path, root));
  return [...text.matchAll(blocks)].map((match) => {
    const line = text.slice(0, match.index + match[0].indexOf(match[1])).split("\n").length;
    const code = path.endsWith(".ts") ? match[1].replaceAll(/^ *\* ?/gm, "") : match[1];
    const placed = code.replaceAll(
      /(from |import\()"(\.[^"]*)"/g,
      (_, before, address) => `${before}"${new URL(address, new URL(path, root))}"`,
    );
    return { name: `${path}:${line}`, code: placed };
  });
}

function sourcesBelow(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) =>
    isDirectory ? sourcesBelow(`${folder}${name}/`) : name.endsWith(".ts") ? [`${folder}${name}`] : []
  ).sort();
}

/** A program's name as that of a file. */
export const fileName = ({ name }: DocumentedProgram) => `${name.replaceAll(/[/:]/g, "_")}.ts`;

/** Writes programs as modules of a folder that has no options for the compiler, so that Deno's own hold. */
export async function writePrograms(folder: string, programs: readonly DocumentedProgram[]): Promise<void> {
  await Deno.writeTextFile(`${folder}/deno.json`, "{}");
  for (const program of programs) {
    await Deno.writeTextFile(`${folder}/${fileName(program)}`, `${program.code}\nexport {};\n`);
  }
}

/**
 * The text of a module that runs programs of its folder one after the other, each on the engine that a new process begins with,
 * and prints as its last line what went wrong in which.
 */
export function runnerOf(programs: readonly DocumentedProgram[]): string {
  const names = programs.map((program) => [program.name, fileName(program)]);
  return `import * as tf from ${JSON.stringify(new URL("src/compute/tf.ts", root).href)};
const run: string[] = [];
const wrong: string[] = [];
for (const [name, file] of ${JSON.stringify(names)}) {
  await tf.setBackend("cpu");
  console.assert = (held, ...words) => {
    if (!held) wrong.push([name, "an assertion failed", ...words].join(": "));
  };
  try {
    await import("./" + file);
    run.push(name);
  } catch (error) {
    wrong.push(name + ": " + error);
  }
}
console.log(JSON.stringify({ run, wrong }));
`;
}

/** What a Deno process of this version did in a folder. */
export async function denoIn(cwd: string, ...args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The path of a file from the root, on the disk. */
export const onDisk = (path: string) => fileURLToPath(new URL(path, root));
