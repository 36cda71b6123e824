/** Claims about data sets made from folders of pictures. @module */
import { type ImageFile, imageFolderDataset } from "../../../src/data/image_folder.ts";
import { encodePng } from "../../../src/images/png.ts";
import { claim } from "../../suite/claim.ts";
import { checkProperty, fc } from "../../instruments/properties.ts";

/** A PNG file of pixels given by their red, green, blue and alpha. */
function png(width: number, height: number, pixel: (x: number, y: number) => number[]): Uint8Array {
  const pixels = Array.from({ length: width * height }, (_, i) => pixel(i % width, Math.floor(i / width)));
  const data = Uint8Array.from(pixels.flat());
  return encodePng({ width, height, data });
}

const flat = (width: number, height: number, ...rgb: number[]) => png(width, height, () => [...rgb, 255]);

claim(
  "a folder's classes are its folders in the order of names, and its images in the order of paths",
  async (check) => {
    const files: ImageFile[] = [
      { path: "zebra/1.png", bytes: flat(2, 2, 1, 2, 3) },
      { path: "ant/b/2.PNG", bytes: flat(2, 2, 4, 5, 6) },
      { path: "ant/1.png", bytes: flat(2, 2, 7, 8, 9) },
      { path: "cow/1.png", bytes: flat(2, 2, 10, 11, 12) },
    ];
    const source = "the function's documentation";
    for (const [order, shuffled] of [["as given", files], ["reversed", files.toReversed()]] as const) {
      const set = await imageFolderDataset(shuffled, { name: "animals" });
      check.equal(`${order}: labels`, [...set.labels], [0, 0, 1, 2], source);
      check.equal(
        `${order}: first values`,
        [0, 1, 2, 3].map((i) => set.images[12 * i]),
        [7, 4, 10, 1],
        source,
      );
      check.equal(`${order}: shape, classes`, [set.shape, set.classes, set.count], [[2, 2, 3], 3, 4], source);
      check.equal(`${order}: their names`, set.classNames, ["ant", "cow", "zebra"], source);
    }
    const grey = flat(2, 2, 90, 90, 90);
    const both = await imageFolderDataset([{ path: "a.png", bytes: grey }, {
      path: "b.png",
      bytes: flat(2, 2, 1, 2, 3),
    }]);
    check.equal(
      "grey among colours",
      [...both.images.subarray(0, 3)],
      [90, 90, 90],
      "grey is red = green = blue",
    );
    const alone = await imageFolderDataset([{ path: "a.png", bytes: grey }]);
    check.equal("grey alone", [alone.shape, [...alone.images]], [[2, 2, 1], [90, 90, 90, 90]], source);
    const clear = png(1, 1, () => [100, 0, 200, 51]);
    check.equal(
      "a fifth opaque",
      [...(await imageFolderDataset([{ path: "a.png", bytes: clear }])).images],
      [224, 204, 244],
      "c/5 + 255·4/5, laid on white",
    );
  },
);

claim("pictures are cropped to their centre and resized by exact means of areas", async (check) => {
  // 10 wide, 6 high: the middle 6 columns are 2 … 7; each new pixel is the mean of 3 × 3 old ones.
  const value = (x: number, y: number, c: number) => (23 * x + 11 * y + 60 * c + (x * y) % 7) % 256;
  for (const [width, height, left, top] of [[10, 6, 2, 0], [6, 9, 0, 1]]) {
    const bytes = png(width, height, (x, y) => [value(x, y, 0), value(x, y, 1), value(x, y, 2), 255]);
    const { images, shape } = await imageFolderDataset([{ path: "a.png", bytes }], { size: 2 });
    const expected: number[] = [];
    for (const y of [0, 1]) {
      for (const x of [0, 1]) {
        for (const c of [0, 1, 2]) {
          let sum = 0;
          for (let at = 0; at < 9; at++) {
            sum += value(left + 3 * x + at % 3, top + 3 * y + Math.floor(at / 3), c);
          }
          expected.push(Math.round(sum / 9));
        }
      }
    }
    check.equal(`${width}×${height}: shape`, shape, [2, 2, 3], "the size that was asked for");
    check.equal(`${width}×${height}: pixels`, [...images], expected, "means of nine pixels, summed here");
  }
});

const fixture = (name: string) =>
  Deno.readFile(new URL(`../../../fixtures/files/images/${name}`, import.meta.url));

claim(
  "damaged pictures are refused by name, or skipped and listed, and unusable folders are refused",
  async (check) => {
    const good = { path: "a/good.png", bytes: flat(4, 4, 1, 2, 3) };
    const photo = await fixture("blocks.jpg");
    const damaged: [string, Uint8Array, RegExp][] = [
      ["a/cut.png", good.bytes.subarray(0, 50), /^a\/cut\.png: not a complete PNG file/],
      ["a/cut.jpg", photo.subarray(0, photo.length - 2), /^a\/cut\.jpg: not a complete JPEG file/],
      ["a/half.jpg", photo.subarray(0, photo.length / 2), /^a\/half\.jpg: not a complete JPEG file/],
      [
        "a/text.png",
        new TextEncoder().encode("hello"),
        /^a\/text\.png: begins like neither a PNG nor a JPEG file/,
      ],
      ["a/empty.jpg", new Uint8Array(0), /^a\/empty\.jpg: begins like neither/],
    ];
    for (const [path, bytes, message] of damaged) {
      await check.throws(path, () => imageFolderDataset([good, { path, bytes }]), message);
    }
    const problems: string[] = [];
    const files = [...damaged.map(([path, bytes]) => ({ path, bytes })), good];
    const kept = await imageFolderDataset(files, { onCorrupt: (problem) => problems.push(problem) });
    check.equal("images that are left", kept.count, 1, "one file is good");
    check.equal(
      "files that are named",
      problems.map((problem) => problem.split(":")[0]),
      damaged.map(([path]) => path).sort(),
      "all that are damaged",
    );
    await check.throws(
      "no file",
      () => imageFolderDataset([], { name: "pets" }),
      /^pets: there is no PNG or JPEG file/,
    );
    const text = { path: "a.png", bytes: new Uint8Array(9) };
    await check.throws(
      "none good",
      () => imageFolderDataset([text], { onCorrupt: () => {} }),
      /none of the 1 files can/,
    );
    const wide = { path: "b/wide.png", bytes: flat(5, 4, 9, 9, 9) };
    await check.throws(
      "two sizes",
      () => imageFolderDataset([good, wide]),
      /without a size all images must be alike, a\/good\.png is 4×4 and b\/wide\.png is 5×4/,
    );
    await check.throws(
      "size 0",
      () => imageFolderDataset([good], { size: 0 }),
      /must be a positive integer, got 0/,
    );
    const starts = [[], [0xff, 0xd8], [0x89, 0x50], [...photo.subarray(0, 200)], [
      ...good.bytes.subarray(0, 40),
    ]];
    await checkProperty(
      check,
      "any bytes are a picture or refused by name",
      fc.tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 120 })),
      async ([start, rest]) => {
        try {
          const bytes = Uint8Array.from([...start, ...rest]);
          return (await imageFolderDataset([{ path: "x", bytes }])).count === 1;
        } catch (error) {
          return error instanceof RangeError && error.message.startsWith("x: ");
        }
      },
      "the function's documentation",
    );
  },
);
