/** Claims about the commands that the documentation prints: each is one that its task takes. @module */
import { fileURLToPath } from "node:url";
import { claim } from "../../suite/claim.ts";
import { documents } from "../../instruments/documents.ts";
import { readCommandLine } from "../../instruments/read_command_line.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The words after `deno task` in every command of a text, up to a comment, a quote or another command. */
function commandsIn(text: string): string[][] {
  const whole = text.replaceAll(/\\\n\s*/g, " ");
  return [...whole.matchAll(/deno task ([a-z]+(?::[a-z]+)?)((?: +[^\s`#&;|()…]+)*)/g)]
    .map(([, task, rest]) => [task, ...rest.trim().split(/\s+/).filter((word) => word !== "")])
    // What follows after -- is another program's.
    .map((words) => words.includes("--") ? words.slice(0, words.indexOf("--")) : words)
    // Words of a shell's variables, of alternatives and of blanks to fill are the reader's.
    .filter((words) => !words.some((word) => /[$<>[\]"{}]|^[A-Z]+$/.test(word)));
}

claim(
  "every command in the documentation has flags and values that its task takes",
  { engines: ["wasm"] },
  async (check) => {
    const commands = new Map<string, string[]>();
    for (const file of await documents()) {
      for (const words of commandsIn(await Deno.readTextFile(root + file))) {
        commands.set(
          words.join(" "),
          words,
        );
      }
    }
    const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
    check.atLeast("commands", commands.size, 60, "the pages together have more");
    const queue = [...commands.values()].filter(([task]) => !["docs", "ok", "onnx"].includes(task));
    const wrong: string[] = [];
    const unknown = queue.filter(([task]) => tasks[task] === undefined).map((words) => words.join(" "));
    check.equal("tasks that do not exist", unknown, [], "deno.json");
    for (const [task, ...flags] of queue) {
      if (tasks[task] === undefined) continue;
      // Flags are read in order, so that --help at the end is reached only past flags that are right.
      const { code, stderr } = await readCommandLine(task, ...flags, "--help");
      if (code !== 0 || stderr.includes(" is now ")) {
        wrong.push(`deno task ${[task, ...flags].join(" ")}: ${stderr.trim()}`);
      }
    }
    check.equal(
      "commands that are refused, or have an old name",
      wrong,
      [],
      "what a reader copies must work",
    );
  },
);
