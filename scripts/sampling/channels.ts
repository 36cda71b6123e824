/** Images with any number of channels as grey or coloured ones, for pictures. @module */

/**
 * Images of one or three channels: those with another number show their first.
 * @param values [N, height, width, channels].
 * @returns values and shape of what is shown.
 */
export function shownChannels(
  values: Float32Array,
  shape: readonly number[],
): [values: Float32Array, shape: readonly number[]] {
  const channels = shape[3];
  if (channels === 1 || channels === 3) return [values, shape];
  const first = Float32Array.from(
    { length: values.length / channels },
    (_, pixel) => values[pixel * channels],
  );
  return [first, [...shape.slice(0, 3), 1]];
}
