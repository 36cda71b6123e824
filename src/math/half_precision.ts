/**
 * Numbers of 16 bits (IEEE 754 binary16): a sign, five bits of exponent and ten of the significand. `DataView` has them in
 * Node only from 24 on.
 * @module
 */

/** 2^(e − 25) for the exponents e of 1 to 30: the distance of neighbouring numbers. */
const SPACING = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (Math.max(1, exponent) - 25));

/** The number of the 16 bits `bits`. */
export function numberFromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const significand = bits & 1023;
  if (exponent === 31) return significand === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? significand : 1024 + significand) * SPACING[exponent];
}

/** The 16 bits of the nearest number to `value`, of two as near the even one; from 65520 on infinity. */
export function halfFromNumber(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // Adding 2⁵² rounds to a whole number, of two as near to the even one. A significand that was rounded up to 2048, or a
  // subnormal one up to 1024, carries into the exponent.
  const steps = size * 2 ** (10 - exponent) + 2 ** 52 - 2 ** 52;
  return sign | (((exponent + 14) << 10) + steps);
}
