/**
 * Folders that last as long as what needs them.
 * @module
 */

/** Gives an action a new, empty folder, and removes it when the action has ended or failed. */
export async function withFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
