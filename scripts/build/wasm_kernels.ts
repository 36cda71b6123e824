/**
 * Compiles src/compute/wasm/kernels.as with AssemblyScript into src/compute/wasm/kernels_binary.ts.
 * @module
 */

/** What is used of the compiler; it is loaded by a computed name so that only this script fetches its 100 MB. */
interface AssemblyScript {
  main(
    args: readonly string[],
    files: {
      readFile(name: string): string | null;
      writeFile(name: string, contents: string | Uint8Array): void;
      listFiles(): string[];
    },
  ): Promise<{ error: Error | null; stderr: { toString(): string } | null }>;
}

/** The compiler as Deno imports it. */
export const COMPILER = ["npm:assemblyscript@0.28.9", "asc"].join("/");

/** The WebAssembly bytes of the source text. */
export async function compileKernels(source: string): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const flags = [
    "--runtime",
    "stub",
    "--importMemory",
    "--noExportMemory",
    "--enable",
    "simd",
    "-O3",
    "--noAssert",
  ];
  const asc: AssemblyScript = (await import(COMPILER)).default;
  const { error, stderr } = await asc.main(["kernels.ts", "--outFile", "kernels.wasm", ...flags], {
    readFile: (name: string) => name === "kernels.ts" ? source : null,
    writeFile: (_: string, contents: string | Uint8Array) => void (binary = contents as Uint8Array),
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`AssemblyScript: ${stderr?.toString()}`);
  return binary;
}

if (import.meta.main) {
  const folder = new URL("../../src/compute/wasm/", import.meta.url);
  const bytes = await compileKernels(await Deno.readTextFile(new URL("kernels.as", folder)));
  const lines = bytes.toBase64().match(/.{1,100}/g)!.map((line) => `  "${line}",`).join("\n");
  await Deno.writeTextFile(
    new URL("kernels_binary.ts", folder),
    `/** kernels.as as WebAssembly in base64; made by scripts/build/wasm_kernels.ts. @module */

/** Concatenated, the module's bytes in base64. */
export const KERNELS_BASE64: readonly string[] = [
${lines}
];
`,
  );
  console.log(`${bytes.length} bytes of WebAssembly`);
}
