/** Claims about numbers of 16 bits. @module */
import { halfFromNumber, numberFromHalf } from "../../../src/math/half_precision.ts";
import { claim } from "../../suite/claim.ts";

const view = new DataView(new ArrayBuffer(2));

claim(
  "numbers of 16 bits are read and rounded as DataView does it, every one and between any two",
  (check) => {
    const wrong: Record<string, number[]> = { read: [], written: [], halfway: [], "beside halfway": [] };
    const bitsOf = (value: number) => {
      view.setFloat16(0, value);
      return view.getUint16(0);
    };
    for (let bits = 0; bits < 65536; bits++) {
      view.setUint16(0, bits);
      const value = view.getFloat16(0);
      if (!Object.is(numberFromHalf(bits), value)) wrong.read.push(bits);
      if (Number.isNaN(value)) continue;
      if (halfFromNumber(value) !== bits) wrong.written.push(bits);
      view.setUint16(0, bits + 1);
      // Above the largest number, infinity begins where the next number would be nearer.
      const next = Math.abs(value) === 65504 ? Math.sign(value) * 65536 : view.getFloat16(0);
      const middle = (value + next) / 2;
      if (!Number.isFinite(middle)) continue;
      if (halfFromNumber(middle) !== bitsOf(middle)) wrong.halfway.push(bits);
      for (const beside of [middle * (1 + 2 ** -50), middle * (1 - 2 ** -50)]) {
        if (halfFromNumber(beside) !== bitsOf(beside)) wrong["beside halfway"].push(bits);
      }
    }
    for (const [what, bits] of Object.entries(wrong)) {
      check.equal(
        `${what}: patterns with another answer`,
        bits.slice(0, 5),
        [],
        "the runtime's own DataView",
      );
    }
    check.holds("no number", Number.isNaN(numberFromHalf(halfFromNumber(NaN))), "IEEE 754");
  },
);
