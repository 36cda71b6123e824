/** Folders of files for claims about data. @module */

/** Writes files into a new folder, with the folders between, and gives its path. */
export async function written(within: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: within });
  for (const [path, bytes] of Object.entries(files)) {
    await Deno.mkdir(`${folder}/${path}/..`, { recursive: true });
    await Deno.writeFile(`${folder}/${path}`, bytes);
  }
  return folder;
}
