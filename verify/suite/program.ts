/**
 * Programs other than Deno that claims start.
 * @module
 */
import { delimiter } from "node:path";

/** The programs that a claim may name in its `needs`. */
export const programs = ["bash", "chromium", "node", "npm", "parallel", "python3", "sh"] as const;

/** The name of such a program. */
export type Program = typeof programs[number];

/** The programs that the claim under examination names in its `needs`. */
let stated: readonly Program[] = [];

/** Sets the programs that the claim which is examined next may start. */
export function allowPrograms(allowed: readonly Program[]): void {
  stated = allowed;
}

/** Whether a file of that name that can be started is in a folder of PATH. */
export async function isInstalled(program: Program): Promise<boolean> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(delimiter)) {
    const found = await Deno.stat(`${folder}/${program}`).then(
      ({ isFile, mode }) => isFile && (mode === null || (mode & 0o111) > 0),
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/**
 * Runs a program to its end.
 * @throws {TypeError} When the claim under examination does not name the program in its `needs`: it would fail, instead of
 * being skipped, on a machine that lacks the program.
 * @throws {Error} With what the program printed on stderr, when it ends with another code than 0.
 */
export async function runProgram(
  program: Program,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<void> {
  if (!stated.includes(program)) {
    throw new TypeError(`this claim starts ${program}, which its needs do not name`);
  }
  const { success, stderr } = await new Deno.Command(program, { args: [...args], ...options, stdout: "null" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
