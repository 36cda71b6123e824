/**
 * What git says of the sources, where they are in a repository.
 * @module
 */

/** The commit that is checked out, with a plus where files were changed since; null outside a repository. */
export async function checkedOut(): Promise<string | null> {
  const commit = await git("rev-parse", "--short", "HEAD");
  return commit === null ? null : commit + (await git("status", "--porcelain") === "" ? "" : "+");
}

/** Files that differ from a commit, new ones too; null outside a repository, or where there is no such commit. */
export async function changedFiles(since: string): Promise<string[] | null> {
  const [differing, untracked] = [
    await git("diff", "--name-only", "--relative", "--end-of-options", since, "--"),
    await git("ls-files", "--others", "--exclude-standard"),
  ];
  if (differing === null || untracked === null) return null;
  return `${differing}\n${untracked}`.split("\n").filter((path) => path !== "");
}

async function git(...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args,
      cwd: new URL("../../", import.meta.url),
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}
