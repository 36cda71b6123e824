/** Claims about the headers of npy files. @module */
import { npyHeader, readNpy, readNpyHeader, writeNpy } from "../../../src/images/npy.ts";
import { concatenated } from "../../../src/images/png_chunks.ts";
import { claim } from "../../suite/claim.ts";

claim(
  "npy headers of every length and version are read, and written ones end at multiples of 64 bytes",
  async (check) => {
    // Thirty-one sizes of ten digits make a header of more than 255 bytes.
    const long = Array<number>(31).fill(1_000_000_007);
    for (const shape of [[], [3], [2, 3], long]) {
      const header = npyHeader(shape);
      check.equal(`${shape.length} sizes: length`, header.length % 64, 0, "so that values can be mapped");
      check.equal(
        `${shape.length} sizes: stated`,
        header[8] + 256 * header[9],
        header.length - 10,
        "16 bits, little-endian",
      );
      check.equal(`${shape.length} sizes: last`, header.at(-1), 0x0a, "a newline");
      check.equal(
        `${shape.length} sizes: read`,
        readNpyHeader(header),
        { shape, start: header.length },
        "as written",
      );
    }
    check.equal(
      "a scalar's shape",
      new TextDecoder().decode(npyHeader([])).includes("'shape': (), }"),
      true,
      "Python's tuple",
    );
    // Before the shape stand 10 + 50 bytes and after it three and a newline; (10, 1, …, 1) of 21 sizes takes 64.
    const ones = (first: number) => npyHeader([first, ...Array<number>(20).fill(1)]).length;
    check.equal("128 bytes", ones(10), 128, "two blocks of 64, filled");
    check.equal("129 bytes", ones(100), 192, "three");
    const one = writeNpy({ shape: [1], values: Float32Array.of(1.5) });
    for (const version of [2, 3]) {
      const later = concatenated([
        one.subarray(0, 6),
        Uint8Array.of(version, 0, one[8], one[9], 0, 0),
        one.subarray(10),
      ]);
      check.equal(`version ${version}`, [...readNpy(later).values], [1.5], "a length of 32 bits");
    }
    await check.throws(
      "version 0",
      () => readNpy(one.with(6, 0)),
      /^npy data: format version 0 is unknown, 1 to 3 are read$/,
    );
    await check.throws(
      "version 4",
      () => readNpy(one.with(6, 4)),
      /^npy data: format version 4 is unknown, 1 to 3 are read$/,
    );
    await check.throws(
      "another beginning",
      () => readNpy(one.with(5, 0), "a"),
      /^a: a \.npy file starts with the bytes 93 4e 55/,
    );
    const padded = (length: number) => {
      const bytes = new Uint8Array(12 + length).fill(0x20);
      bytes.set(one.subarray(0, 6));
      bytes.set([2, 0, length & 255, length >> 8], 6);
      bytes.set([0, 0], 10);
      bytes.set(one.subarray(10, 70), 12);
      return concatenated([bytes, one.subarray(-4)]);
    };
    check.equal(
      "a header of 10,000 bytes",
      [...readNpy(padded(10_000)).values],
      [1.5],
      "the longest that is read",
    );
    await check.throws(
      "one of 10,001",
      () => readNpy(padded(10_001)),
      /^npy data: the header has 10001 bytes, at most 10000 are read$/,
    );
    const text = String.fromCharCode(...one);
    const edited = (from: string, to: string) =>
      Uint8Array.from(text.replace(from, to), (letter) => letter.charCodeAt(0));
    await check.throws(
      "float64 to continue",
      () => readNpyHeader(edited("<f4", "<f8"), "a"),
      /^a: the values are "<f8", only '<f4' \(little-endian float32\) in C order can be continued$/,
    );
    await check.throws(
      "Fortran order to continue",
      () => readNpyHeader(edited("False, 'shape': (1,), }", "True, 'shape': (1, 2)}"), "a"),
      /^a: the values are "<f4" in Fortran order, only '<f4' /,
    );
    for (const key of ["descr", "fortran_order", "shape"]) {
      await check.throws(
        `no ${key}`,
        () => readNpy(edited(key, key.toUpperCase())),
        /the header has no descr, fortran_order and shape: /,
      );
    }
    check.equal(
      "native byte order",
      [...readNpy(edited("<f4", "=f4")).values],
      [1.5],
      "= is that of the machine, which is little-endian",
    );
    check.equal(
      "spaces in the header",
      readNpy(edited("'shape': (1,)", "'shape' :(1 )")).shape,
      [1],
      "as Python reads them",
    );
    const view = new Uint8Array([9, 9, ...one]).subarray(2);
    check.equal("a part of a larger buffer", [...readNpy(view).values], [1.5], "its own offset");
    for (const shape of [[-1], [1.5], [2 ** 53]]) {
      await check.throws(
        `[${shape}]`,
        () => npyHeader(shape),
        /^lengths must be non-negative integers, got \[/,
      );
    }
    const wide = (bytes: number[]) =>
      concatenated([edited("<f4", "<i8").subarray(0, -4), Uint8Array.from(bytes)]);
    check.equal(
      "2⁵³ of 64 bits",
      [...readNpy(wide([0, 0, 0, 0, 0, 0, 32, 0])).values],
      [2 ** 53],
      "float32 holds it",
    );
    await check.throws(
      "2⁵⁴ of 64 bits",
      () => readNpy(wide([0, 0, 0, 0, 0, 0, 64, 0])),
      /^npy data: value 0 is 18014398509481984, which float64 cannot hold$/,
    );
    const infinite = concatenated([
      edited("<f4", "<f8").subarray(0, -4),
      new Uint8Array(Float64Array.of(Infinity).buffer),
    ]);
    check.equal("infinity of 64 bits", [...readNpy(infinite).values], [Infinity], "float32 has it, too");
    const second = concatenated([
      npyHeader([2]).slice(),
      new Uint8Array(Float64Array.of(1, 1e300).buffer),
    ]);
    second.set(new TextEncoder().encode("<f8"), String.fromCharCode(...second).indexOf("<f4"));
    await check.throws(
      "a second value beyond float32",
      () => readNpy(second),
      /^npy data: value 1 is 1e\+300, which float32 cannot hold$/,
    );
  },
);
