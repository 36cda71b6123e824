/** The browsers' PNG codec as WebAssembly, one instance at a time. @module */
import load from "npm:@jsquash/png@3.1.1/codec/pkg/squoosh_png.js";
import { packageFile } from "../input/address.ts";
import type { Picture } from "./png.ts";

/** The codec's code; in browsers the package fetches it from beside itself. */
const CODE = () => import.meta.resolve("npm:@jsquash/png@3.1.1/codec/pkg/squoosh_png_bg.wasm");

/** The compiled codec. */
let compiled: Promise<WebAssembly.Module> | undefined;

/** The exports of the codec that are used here. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  decode(at: number, length: number): number;
  __wbindgen_malloc(length: number, alignment: number): number;
  __wbindgen_free(at: number, length: number, alignment: number): void;
}

/**
 * One instance of the codec. The package has a single one; but an error leaves its stack and its memory allocated, so
 * that an instance must not be used after it has thrown.
 */
export class PngCodec {
  readonly #exports: Exports;
  #picture: Picture | undefined;

  private constructor(module: WebAssembly.Module) {
    const imports: Record<string, (...args: number[]) => unknown> = {};
    for (const { name } of WebAssembly.Module.imports(module)) {
      imports[name] = name.includes("u8clampedarray")
        ? (at, length, width, height) => this.#keep(at, length, width, height)
        : name === "__wbindgen_throw"
        ? (at, length) => {
          throw new Error(new TextDecoder().decode(this.#bytes(at, length)));
        }
        : () => {
          throw new Error(`${name} is for pictures of 16 bits a channel`);
        };
    }
    const instance = new WebAssembly.Instance(module, { wbg: imports });
    this.#exports = instance.exports as unknown as Exports;
  }

  /** Makes a new instance; the code is fetched and compiled once. */
  static async start(): Promise<PngCodec> {
    compiled ??= packageFile(CODE).then((code) => load(code)).then(() =>
      (load as unknown as { __wbindgen_wasm_module: WebAssembly.Module }).__wbindgen_wasm_module
    );
    return new PngCodec(await compiled);
  }

  /**
   * Decodes a whole PNG file into 8-bit RGBA.
   * @throws {Error} When the file cannot be decoded; the instance must not be used afterwards.
   */
  decode(file: Uint8Array): Picture {
    this.#picture = undefined;
    const at = this.#exports.__wbindgen_malloc(file.length, 1) >>> 0;
    this.#bytes(at, file.length).set(file);
    this.#exports.decode(at, file.length); // which frees the file
    const picture = this.#picture as Picture | undefined;
    if (picture === undefined) throw new Error("the codec returned no picture");
    return picture;
  }

  /** Called by the codec with the pixels, which are the caller's to free. */
  #keep(at: number, length: number, width: number, height: number): number {
    this.#picture = { width: width >>> 0, height: height >>> 0, data: this.#bytes(at, length).slice() };
    this.#exports.__wbindgen_free(at >>> 0, length >>> 0, 1);
    return 0;
  }

  #bytes(at: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#exports.memory.buffer as ArrayBuffer, at >>> 0, length >>> 0);
  }
}
