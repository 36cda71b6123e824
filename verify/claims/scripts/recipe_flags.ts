/** Claims about train's flags that contradict each other. @module */
import { parseFlags } from "../../../scripts/cli/flags.ts";
import { checkRecipe, recipeFlags } from "../../../scripts/training/recipe.ts";
import { claim } from "../../suite/claim.ts";

const usage = { name: "train", purpose: "", flags: recipeFlags };
const read = (line: string) => parseFlags(usage, line.split(" ").filter((word) => word !== ""));

claim(
  "flags of a recipe that contradict each other are refused in a sentence that names them",
  async (check) => {
    const refused: readonly (readonly [string, RegExp, boolean?])[] = [
      [
        "--weighting edm --sde vp",
        /^--sde needs --weighting variance, likelihood or velocity: EDM's noise levels belong to no SDE$/,
      ],
      [
        "--times uniform",
        /^--times is for an SDE's times: it needs --sde, or --weighting variance, likelihood or velocity$/,
      ],
      ["--min-noise 0.1 --weighting edm", /^--min-noise is for an SDE's times/],
      ["--logit-mean 1", /^--logit-mean is of normal logits: it needs --times logit-normal, got none$/],
      ["--logit-std 2 --sde vp --times uniform", /^--logit-std .* got uniform$/],
      ["--sigma 3", /^--sigma is of dx = σ\^t dw: it needs --sde sigma-power, got none$/],
      ["--sigma 3 --sde ve", /it needs --sde sigma-power, got ve$/],
      ["--objective consistency", /^--objective consistency needs --from with the model to distil$/],
      ...["--plan p", "--betas ddpm-linear", "--weighting edm", "--sde vp"].map((flag) =>
        [
          `--objective consistency-training ${flag}`,
          new RegExp(
            `^--objective consistency-training draws its own noise levels: leave out ${flag.split(" ")[0]}$`,
          ),
        ] as const
      ),
      ["--objective consistency --from m --times uniform --sde vp", /leave out --sde$/],
      [
        "--objective consistency-training --from m --network digits",
        /^--objective consistency-training keeps the network of --from: leave out --network$/,
      ],
      [
        "--objective consistency-training --network tutorial",
        /^--network tutorial has no preconditioning, which a consistency function needs$/,
      ],
      ["--guidance 2", /^--guidance is the teacher's: it needs --objective consistency$/],
      ["--guidance 2 --objective consistency-training", /^--guidance is the teacher's/],
      ["--plan p --betas ddpm-linear", /^--plan gives all noise levels: leave out --betas$/],
      [
        "--plan p --sde vp --times uniform --min-noise 1 --weighting variance",
        /^--plan gives all noise levels: leave out --weighting, --sde, --times, --min-noise$/,
      ],
      ["--betas ddpm-cosine --sde ve", /^--betas gives all noise levels: leave out --sde$/],
      ["--network tutorial --betas ddpm-linear", /^--betas is for the U-Nets, got --network tutorial$/],
      [
        "--network tutorial --weighting edm",
        /^--network tutorial needs --weighting variance, likelihood or velocity: it has no preconditioning$/,
      ],
      ...["--flip", "--network digits", "--from m", "--batch 3", "--label-dropout 0", "--betas ddpm-linear"]
        .map((flag) =>
          [
            flag,
            new RegExp(
              `^--resume keeps the recipe of its checkpoint, but for --rate, --warmup, --decay and --seed: leave out ${
                flag.split(" ")[0]
              }$`,
            ),
            true,
          ] as const
        ),
    ];
    for (const [line, message, resumed = false] of refused) {
      await check.throws(line, () => checkRecipe(read(line), resumed), message);
    }
    const allowed: readonly (readonly [string, boolean?])[] = [
      [""],
      ["--times uniform --weighting likelihood"],
      ["--min-noise 0.1 --sde ve"],
      ["--sde flow --weighting velocity --times logit-normal --logit-mean -1 --logit-std 2"],
      ["--sigma data --sde sigma-power"],
      ["--objective consistency --from m --guidance 0"],
      ["--objective consistency-training --network digits"],
      ["--objective denoising --sde vp --network tutorial --from m"],
      ["--plan p --network digits"],
      ["--betas ddpm-cosine"],
      ["--data d --size 8 --skip-corrupt --rate 0.1 --warmup 3 --decay constant --seed 9", true],
    ];
    for (const [line, resumed = false] of allowed) {
      check.equal(`${line} may be`, checkRecipe(read(line), resumed), undefined, "--help");
    }
  },
);
