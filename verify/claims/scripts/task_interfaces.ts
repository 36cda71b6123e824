/**
 * Claims that tasks have the flags, ranges, defaults and examples that verify/reference/tasks has. Where one is meant to change, the
 * files there are the outputs of `deno task NAME --help` and of `deno task NAME --dry-run`.
 * @module
 */
import { helpText, parseFlags } from "../../../scripts/cli/flags.ts";
import { usageOf } from "../../../scripts/cli/task.ts";
import { leaves, type Plain } from "../../instruments/request_fields.ts";
import { withCheckpoint } from "../../instruments/small_checkpoint.ts";
import { withFiles, writeFiles } from "../../instruments/task_files.ts";
import { taskRows } from "../../problems/tasks.ts";
import { claim } from "../../suite/claim.ts";

/** A file of verify/reference/tasks; empty where there is none. */
function written(name: string): Promise<string> {
  const file = new URL(`../../reference/tasks/${name.replaceAll(/[: ]/g, "_")}`, import.meta.url);
  return Deno.readTextFile(file).catch(() => "");
}

/** Plain data with the first two and the last of each list of more than fifty numbers: the thousand betas of a chain. */
function shortened(data: Plain): Plain {
  if (typeof data !== "object" || data === null) return data;
  if (Array.isArray(data)) return data.length > 50 ? [...data.slice(0, 2), "…", data.at(-1)] : data;
  return Object.fromEntries(Object.entries(data).map(([key, part]) => [key, shortened(part)]));
}

claim(
  "every task's help has the flags, ranges, defaults and examples that are written down",
  async (check) => {
    for (const [name, { task }] of Object.entries(taskRows)) {
      const said = helpText(usageOf(task)).split("\n");
      const lines = (await written(`${name}.help.txt`)).trimEnd().split("\n");
      check.equal(
        `${name}: lines`,
        said,
        lines,
        `verify/reference/tasks, as deno task ${name} --help printed it`,
      );
    }
  },
);

claim(
  "every task's flags stand for the request that is written down, with all defaults filled in",
  async (check) => {
    await withCheckpoint(async (folder) => {
      await writeFiles(folder);
      for (const [name, { task, base = "" }] of Object.entries(taskRows)) {
        const line = withFiles(base, folder).split(" ").filter((word) => word !== "");
        const request = await task.request(parseFlags(task.usage, line));
        const text = JSON.stringify(shortened(JSON.parse(JSON.stringify(request))), null, 2);
        check.equal(
          `${name} ${base}: lines`,
          text.replaceAll(folder, "$FOLDER").split("\n"),
          (await written(`${name}.request.json`)).trimEnd().split("\n"),
          `verify/reference/tasks, as deno task ${name} ${base} --dry-run printed it`,
        );
      }
    });
  },
);

claim("defaults of flags that are for one value of another are those that --help states", async (check) => {
  const cases: readonly (readonly [task: string, line: string, path: string, value: Plain])[] = [
    ["inpaint", "--mask random", "measurement.hiddenFraction", 0.5],
    ["inpaint", "--method repaint", "method.resamplings", 10],
    ["inpaint", "--method mmps", "method.iterations", 3],
    ["inpaint", "--method pigdm", "method.iterations", 20],
    ["inpaint", "--method dps", "method.scale", 8],
    ["inpaint", "--method diffpir", "method.lambda", 1],
    ["inpaint", "--method twisted", "method.particles", 16],
    ["inpaint", "--method twisted", "grid.steps", 50],
    ["inpaint", "--sampler ode-rk4", "grid.steps", 50],
    ["restore", "--operator pool2", "measurement.factor", 2],
    ["restore", "--operator blur", "measurement.std", 1.5],
    ["restore", "--operator projection", "measurement.directions", 98],
    ["likelihood", "--method dopri5", "method.tolerance", 1e-4],
    ["likelihood", "--method dopri5", "method.probes", 1],
    ["likelihood", "--method elbo", "method.draws", 16],
    ["likelihood", "--checkpoint mnist", "minNoise", 0.005],
    ["ncsn:plan", "--kind ncsn", "stepsPerLevel", 100],
    ["sample", "--label none", "guidance.scale", 1],
    ["sample", "--classifier-scale 2", "guidance.scale", 0],
    ["compare", "--baseline other.safetensors", "baseline.steps", 1000],
  ];
  for (const [name, line, path, expected] of cases) {
    const { task } = taskRows[name];
    const request = await task.request(parseFlags(task.usage, line.split(" ")));
    const value = leaves(JSON.parse(JSON.stringify(request))).get(path);
    check.equal(`${name} ${line}: ${path}`, value, expected, "--help");
  }
});
