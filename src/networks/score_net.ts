/**
 * The tensors of the ScoreNet of Song's MNIST tutorial (2021) by their names there, and what each is in this project's tutorial
 * network.
 *
 * That ScoreNet's score is −ε̂/σ(t) by its last convolution, and its features are sines before cosines: so the last convolution
 * changes its sign, and the halves of the first matrix's columns change places. Neither rounds.
 * @module
 */
import { quoted, quotedShape } from "../input/quoted.ts";
import { TUTORIAL, type TutorialConfig } from "./tutorial.ts";

/** A tensor there, as one here. */
interface Counterpart {
  /** Its name in the ScoreNet. */
  readonly there: string;
  /** The parameter's name here. */
  readonly here: string;
  /** What is done to the values, beside the order of axes, in either direction. */
  readonly change?: "sign" | "halves";
}

/** The name of the random frequencies, which are a parameter there and in the config here. */
export const FREQUENCIES = "embed.0.W";

/** All parameters but the frequencies. */
export const scoreNetTensors: readonly Counterpart[] = [
  { there: "embed.1.weight", here: "embed.weight", change: "halves" },
  { there: "embed.1.bias", here: "embed.bias" },
  ...[1, 2, 3, 4].flatMap((n) => stage(`down.${n - 1}`, [`conv${n}`, `dense${n}`, `gnorm${n}`])),
  ...[4, 3, 2].flatMap((n) => stage(`up.${n - 1}`, [`tconv${n}`, `dense${9 - n}`, `tgnorm${n}`])),
  { there: "tconv1.weight", here: "up.0.conv.weight", change: "sign" },
  { there: "tconv1.bias", here: "up.0.conv.bias", change: "sign" },
];

function stage(here: string, [convolution, dense, norm]: readonly string[]): Counterpart[] {
  return [
    { there: `${convolution}.weight`, here: `${here}.conv.weight` },
    { there: `${dense}.dense.weight`, here: `${here}.time.weight` },
    { there: `${dense}.dense.bias`, here: `${here}.time.bias` },
    { there: `${norm}.weight`, here: `${here}.norm.weight` },
    { there: `${norm}.bias`, here: `${here}.norm.bias` },
  ];
}

/** The config of a ScoreNet by the shapes of its tensors; those that are missing are taken for the tutorial's. */
export function scoreNetConfig(
  shapeOf: (name: string) => readonly number[] | undefined,
  frequencies: readonly number[],
  { sigma, unitRange }: { readonly sigma: number; readonly unitRange: boolean },
): TutorialConfig {
  const [c1, c2, c3, c4] = TUTORIAL.widths.map((width, i) => {
    const name = `conv${i + 1}.weight`;
    const shape = shapeOf(name) ?? [width, 1, 3, 3];
    if (shape.length === 4 && shape[0] > 0 && shape[0] % 32 === 0) return shape[0];
    throw new TypeError(
      `the tensor ${quoted(name)} has shape ${
        quotedShape(shape)
      } instead of [out, in, 3, 3] with whole groups of 32 out`,
    );
  });
  return {
    ...TUTORIAL,
    widths: [c1, c2, c3, c4],
    embedding: 2 * frequencies.length,
    sigma,
    frequencies,
    ...unitRange && { unitRange },
  };
}
