/** Horizontal flips of images. @module */

/**
 * Flips some images of a batch from left to right; the order of channels is kept.
 *
 * @param images [B, height, width, channels]; not changed.
 * @param shape [height, width, channels].
 * @param uniforms [B] in [0, 1): an image is flipped where its number is below ½.
 * @throws {RangeError} When the shape is not [height, width, channels].
 */
export function flipRows(
  images: Float32Array,
  shape: readonly number[],
  uniforms: ArrayLike<number>,
): Float32Array<ArrayBuffer> {
  if (shape.length !== 3) {
    throw new RangeError(`only images [height, width, channels] can be flipped, got the shape [${shape}]`);
  }
  const [height, width, channels] = shape;
  const flipped = new Float32Array(images);
  for (let image = 0; image < uniforms.length; image++) {
    if (uniforms[image] >= 0.5) continue;
    for (let row = image * height; row < (image + 1) * height; row++) {
      for (let x = 0; x < width; x++) {
        const [from, to] = [(row * width + width - 1 - x) * channels, (row * width + x) * channels];
        for (let c = 0; c < channels; c++) flipped[to + c] = images[from + c];
      }
    }
  }
  return flipped;
}
