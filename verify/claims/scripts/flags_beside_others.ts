/** Claims that no flag is taken without an effect, whatever stands beside it. @module */
import { type Flag, flagName, parseFlags, UsageError } from "../../../scripts/cli/flags.ts";
import { given, otherValue } from "../../instruments/other_value.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { withFiles, writeFiles } from "../../instruments/task_files.ts";
import { taskRows } from "../../problems/tasks.ts";
import { claim } from "../../suite/claim.ts";

/** Values of a flag, as they are written: all of a choice, two numbers, else the one of its row or domain; null for a switch. */
function valuesOf(flag: Flag<unknown>, value = otherValue(flag)): readonly (string | null)[] {
  const { domain } = flag;
  if (domain.kind === "choice") return domain.choices;
  if (domain.kind !== "integer" && domain.kind !== "number") return [value];
  return [value, otherValue({ ...flag, fallback: Number(value) })];
}

for (const [name, { task, base, beside = {} }] of Object.entries(taskRows)) {
  claim(
    `${name}: a flag changes the request or is refused, whatever another flag is`,
    { engines: ["wasm"] },
    (check) =>
      withCheckpoint(async (folder) => {
        await writeFiles(folder);
        /** The request as text; undefined where the command line is refused. */
        const requestOf = async (line: readonly string[]) => {
          try {
            return JSON.stringify(await task.request(parseFlags(task.usage, line)));
          } catch (error) {
            if (error instanceof UsageError) return undefined;
            throw error;
          }
        };
        const words = (text: string | undefined) =>
          text === undefined ? [] : withFiles(text, folder).split(" ");
        const flags = Object.entries(task.usage.flags);
        const writtenWith = (key: string, flag: Flag<unknown>) =>
          valuesOf(flag, beside[key]?.value).map((value) =>
            given(key, flag, value === null ? null : withFiles(value, folder))
          );
        const without: string[] = [];
        let taken = 0;
        for (const [key, flag] of flags) {
          for (const context of writtenWith(key, flag)) {
            const line = [...words(base), ...words(beside[key]?.flags), ...context];
            const before = await requestOf(line);
            if (before === undefined) continue;
            for (const [other, otherFlag] of flags) {
              if (other === key || line.includes(flagName(other)) || otherFlag.fields?.length === 0) continue;
              let [accepted, changes] = [false, false];
              for (const more of writtenWith(other, otherFlag)) {
                const after = await requestOf([...line, ...more]);
                accepted ||= after !== undefined;
                changes ||= after !== before;
                if (accepted && changes) break;
              }
              if (accepted) taken++;
              if (changes) continue;
              without.push([...line, flagName(other)].join(" ").replaceAll(folder, "$FOLDER"));
            }
          }
        }
        check.equal(`flags without an effect among ${taken}`, without, [], "the task's usage");
      }),
  );
}
