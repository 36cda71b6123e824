/** Claims about the requests that tasks' flags stand for: plain data, in which every flag decides just what it says. @module */
import { flagName, parseFlags } from "../../../scripts/cli/flags.ts";
import { given, otherValue } from "../../instruments/other_value.ts";
import { leaves, type Plain } from "../../instruments/request_fields.ts";
import { run } from "../../instruments/run_task.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { withFiles, writeFiles } from "../../instruments/task_files.ts";
import { presentation, taskRows } from "../../problems/tasks.ts";
import { claim } from "../../suite/claim.ts";

/** The paths whose leaves differ. */
function differences(a: Plain, b: Plain): string[] {
  const [left, right] = [leaves(a), leaves(b)];
  return [...new Set([...left.keys(), ...right.keys()])].filter((path) => left.get(path) !== right.get(path));
}

/** Names of all that is in a folder. */
async function filesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
}

claim("every task that takes flags has a row, and takes them by its request alone", async (check) => {
  const root = new URL("../../../", import.meta.url);
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const expected: string[] = [];
  for (const [name, { command }] of Object.entries<{ command: string }>(tasks)) {
    const script = / ((?:scripts|site)\/\w+\.ts)/.exec(command)?.[1];
    if (script === undefined) continue;
    const text = await Deno.readTextFile(new URL(script, root));
    // Other modules of a task may read its words, too: those of scripts/cli read them for all.
    const reads = /\b(parseFlags|parseArgs|runScript)\b/.exec(text);
    check.equal(`${script}: reads flags beside its request`, reads?.[0] ?? null, null, "runTask does");
    if (!/\brun(Task|Subtask)\(/.test(text)) {
      check.holds(`${script} takes no words`, !text.includes("Deno.args"), "it is no task with flags");
      continue;
    }
    const { task, subtasks = {} } = await import(new URL(script, root).href);
    const others = Object.entries(subtasks).filter(([, other]) => other !== task);
    expected.push(name, ...others.map(([word]) => `${name} ${word}`));
  }
  check.atLeast("tasks", expected.length, 22, "eighteen in deno.json, one of which has four");
  check.equal("tasks with a row", Object.keys(taskRows).sort(), expected.sort(), "verify/problems/tasks.ts");
});

for (const [name, { task, base, beside = {} }] of Object.entries(taskRows)) {
  claim(
    `${name}: another value of a flag changes the request in just the fields that the flag decides`,
    { engines: ["wasm"] },
    (check) =>
      withCheckpoint(async (folder) => {
        await writeFiles(folder);
        const requestOf = async (line: readonly string[]) => {
          const request = await task.request(parseFlags(task.usage, line));
          const text = JSON.parse(JSON.stringify(request)) as Plain;
          check.equal(`${line.join(" ")}: JSON keeps the request whole`, text, request, "plain data");
          return text;
        };
        const rest = Object.keys(beside).filter((key) => !Object.hasOwn(task.usage.flags, key));
        check.equal("rows of flags that the task has not", rest, [], "verify/problems/tasks.ts");
        for (const [key, flag] of Object.entries(task.usage.flags)) {
          const row = beside[key] ?? {};
          const line = [base, row.flags].flatMap((words) =>
            words === undefined ? [] : withFiles(words, folder).split(" ")
          );
          const value = row.value === undefined ? otherValue(flag) : withFiles(row.value, folder);
          const before = await requestOf(line);
          const after = await requestOf([...line, ...given(key, flag, value)]);
          const fields = flag.fields ?? [key];
          check.holds(
            `${flagName(key)} decides ${fields.length === 0 ? "nothing" : fields.join(", ")}`,
            fields.length > 0 || Object.hasOwn(presentation, key),
            "a flag without an effect is not parsed",
          );
          const changed = differences(before, after);
          const within = (path: string) =>
            fields.some((field) => path === field || path.startsWith(`${field}.`));
          check.equal(
            `${flagName(key)} ${value ?? ""}: fields changed beside ${fields.join(", ")}`,
            changed.filter((path) => !within(path)),
            [],
            "the flag's declaration",
          );
          for (const field of fields) {
            check.holds(
              `${flagName(key)} ${value ?? ""} changes ${field}: ${changed.join(", ")}`,
              changed.some((path) => path === field || path.startsWith(`${field}.`)),
              "the flag's declaration",
            );
          }
        }
      }),
  );

  claim(
    `${name} --dry-run prints the request of its flags as JSON and does nothing`,
    { engines: ["wasm"] },
    (check) =>
      withCheckpoint(async (folder) => {
        await writeFiles(folder);
        const before = await filesIn(folder);
        const line = [
          ...base === undefined ? [] : withFiles(base, folder).split(" "),
          ...Object.hasOwn(task.usage.flags, "seed") ? ["--seed", "7"] : [],
        ];
        const [word, ...words] = name.split(" ");
        const { code, stdout, stderr } = await run(word, ...words, ...line, "--dry-run");
        check.equal("exit code", code, 0, stderr);
        const request = await task.request(parseFlags(task.usage, line));
        check.equal(
          "lines",
          stdout.split("\n"),
          `${JSON.stringify(request, null, 2)}\n`.split("\n"),
          "task.request",
        );
        check.equal("files", await filesIn(folder), before, "nothing is written");
      }),
  );
}

claim(
  "sample takes every seed that its flag takes, up to 2^53 − 1",
  { engines: ["wasm"] },
  (check) =>
    withCheckpoint(async (folder) => {
      const flags = ["--checkpoint", `${folder}/model.safetensors`, "--engine", "wasm", "--steps", "1"];
      const seed = String(Number.MAX_SAFE_INTEGER);
      const output = `${folder}/a.png`;
      const { code, stderr } = await run(
        "sample",
        ...flags,
        "--count",
        "1",
        "--seed",
        seed,
        "--output",
        output,
      );
      check.equal("exit code", code, 0, stderr.slice(-200));
    }),
);
