/**
 * The flag for a worse network that guides, and how it is read.
 * @module
 */
import type { Guidance } from "../../src/networks/guidance_interval.ts";
import { deciding, text, UsageError } from "../cli/flags.ts";
import { isOnnxFile } from "./external_flags.ts";

/** A worse network that guides. */
export const guideFlag = deciding(
  ["guide"],
  text({
    help:
      "a worse network, less trained or smaller, which --guidance leads away from in the place of the network without label: " +
      "autoguidance (Karras et al. 2024), also without labels",
    placeholder: "FILE",
  }),
);

/**
 * The file of {@linkcode guideFlag}, or null.
 * @throws UsageError where it has no effect, or is an ONNX file beside a checkpoint that says nothing of how to understand it
 */
export function readGuide(
  flags: { readonly checkpoint?: string; readonly guideCheckpoint?: string },
  guidance: Guidance,
): string | null {
  const { checkpoint, guideCheckpoint: guide } = flags;
  if (guide === undefined) return null;
  if (guidance.scale === 1) {
    throw new UsageError("--guide-checkpoint has no effect at --guidance 1: give another weight");
  }
  if (isOnnxFile(guide) && !isOnnxFile(checkpoint)) {
    throw new UsageError(
      `--guide-checkpoint may be an ONNX file beside one as --checkpoint, got "${guide}" beside ${
        checkpoint === undefined ? "none" : `"${checkpoint}"`
      }`,
    );
  }
  return guide;
}
