/** What the suite may do, as `deno task verify` states it in deno.json; the processes that it starts may do the same. @module */

const text = Deno.readTextFileSync(new URL("../../deno.json", import.meta.url));

/** Its flags of `deno run`. */
export const ownPermissions: readonly string[] = (JSON.parse(text).tasks.verify.command as string)
  .split(" ").filter((word) => word.startsWith("--allow-"));
