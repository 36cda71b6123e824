/** Claims about flags that would have no effect: every task refuses them instead of going on as if they were not there. @module */
import { claim } from "../../suite/claim.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { readCommandLine } from "../../instruments/read_command_line.ts";

/** Command lines with a flag that the rest of the line makes void, and what is said. */
const cases: readonly (readonly [command: string, message: RegExp])[] = [
  ["inpaint --hidden-fraction 0.3", /--hidden-fraction is for --mask random, got --mask left/],
  ["inpaint --resamplings 3", /--resamplings is for --method repaint, got --method pigdm/],
  [
    "inpaint --method replacement --iterations 3",
    /--iterations is for --method mmps or pigdm, got --method replacement/,
  ],
  ["sample --prediction epsilon", /--prediction is for an ONNX file, F.onnx, as --checkpoint, got none/],
  [
    "evaluate --checkpoint a.safetensors --layout nhwc",
    /--layout is for an ONNX file, F.onnx, as --checkpoint, got "a.safetensors"/,
  ],
  ["compare --schedule a.json", /--schedule is for an ONNX file, F.onnx, as --checkpoint, got none/],
  ["inpaint --data mnist", /--data is for --input mnist, got --input samples/],
  ["inpaint --resize", /--resize is for a picture as --input, got --input samples/],
  ["colorize --iterations 3", /--iterations is for --method mmps or pigdm, got --method replacement/],
  ["restore --blur 2", /--blur is for --operator blur, got --operator pool4/],
  ["restore --directions 7", /--directions is for --operator projection, got --operator pool4/],
  ["restore --resamplings 3", /unknown flag --resamplings: the flags are --operator,/],
  ["toy langevin --separation 5", /unknown flag --separation: the flags are --data,/],
  ["toy langevin --weight 0.7", /unknown flag --weight/],
  ["toy langevin --methods sliced", /unknown flag --methods/],
  ["toy langevin --sigma 0.3", /unknown flag --sigma/],
  ["toy modes --data moons", /unknown flag --data/],
  ["toy modes --step-size 0.01", /unknown flag --step-size/],
  ["toy matching --step-size 0.01", /unknown flag --step-size/],
  ["toy densities --sigma 0.1", /unknown flag --sigma/],
  ["bench --checkpoint a.safetensors", /--checkpoint is for --digits, which is not given/],
  ["bench --digits-rounds 2", /--digits-rounds is for --digits, which is not given/],
  ["bench --against pytorch --twin-steps 9", /--twin-steps is for --digits, which is not given/],
  ["bench --digits --twin-steps 9", /--twin-steps is for --against, which is not given/],
  ["likelihood --method dopri5 --steps 4", /--steps is for --method rk4, got --method dopri5/],
  ["likelihood --tolerance 0.01", /--tolerance is for --method dopri5, got --method rk4/],
  ["likelihood --method elbo --probes 4", /--probes is for --method rk4 or dopri5, got --method elbo/],
  ["likelihood --draws 4", /--draws is for --method elbo, got --method rk4/],
  [
    "likelihood --method elbo --dequantization uniform",
    /--dequantization is for --method rk4 or dopri5, got --method elbo/,
  ],
  ["sample --guidance 2 --label none", /--guidance needs a label, got 2 with --label none/],
  [
    "sample --guidance-max-sigma 2 --label none",
    /--guidance-max-sigma needs a label, got 2 with --label none/,
  ],
  ["sample --guidance-min-sigma 1 --guidance 1", /--guidance-min-sigma has no effect at --guidance 1, got 1/],
  ["sample --sampler ddim --gamma 0.1", /ddim .*gamma/],
  ["sample --sigma 20", /--sigma .*--sde sigma-power, got ve/],
  ["sample --plan plan.json --steps 5", /--steps and --plan exclude each other: leave one of them out/],
  [
    "sample --sampler ddim --plan plan.json",
    /--sampler and --plan exclude each other: leave one of them out/,
  ],
  ["sample --plan plan.json --levels 2,0.5", /--levels and --plan exclude each other: leave one of them out/],
  ["ncsn:plan --kind ncsn --limit 10", /--limit is for --kind ncsnv2, got --kind ncsn/],
  ["ncsn:plan --smallest 0.02 --kind ncsn", /--smallest is for --kind ncsnv2, got --kind ncsn/],
  ["ncsn:plan --kind ncsn --overlap 0.4", /--overlap is for --kind ncsnv2, got --kind ncsn/],
  ["sample --resume", /--resume and --shard need an --output that ends in \.npy/],
  [
    "evaluate --guidance-max-sigma 3 --guidance 1",
    /--guidance-max-sigma has no effect at --guidance 1, got 3/,
  ],
  ["compare --steps 3 --nfe 4", /--steps and --nfe exclude each other/],
  ["compare --baseline-steps 4", /--baseline-steps is for --baseline, which is not given/],
  ["compare --samplers ddim --gamma 0.1", /none of the samplers has an option gamma: ddim/],
  ["tune --sampler ddim --snr 0.1,0.2", /ddim .*snr/],
  ["train --data digits --sigma 3", /--sigma .*--sde sigma-power, got none/],
  [
    "train --data digits --times importance",
    /--times .*--sde, or --weighting variance, likelihood or velocity/,
  ],
  [
    "train --data digits --weighting edm --sde vp",
    /--sde needs --weighting variance, likelihood or velocity/,
  ],
  ["train --data digits --sde vp --logit-mean 1", /--logit-mean .*--times logit-normal, got none/],
  ["sample --clip range --clip-percentile 0.9", /--clip-percentile .*--clip dynamic, got --clip range/],
  ["sample --shift 2", /--shift .*--grid shifted, got none/],
  ["train --data digits --min-noise 0.1", /--min-noise .*--sde, or --weighting/],
  ["train --data digits --skip-corrupt", /--skip-corrupt is for a folder of pictures, got --data digits/],
  [
    "train --data digits --label-dropout 0.1 --network tutorial",
    /--label-dropout is for a network with labels, got 0\.1/,
  ],
];

claim(
  "a flag that would have no effect beside the others is refused, in every task",
  { engines: ["wasm"] },
  (check) =>
    withFolder(async (folder) => {
      for (const [at, [command, message]] of cases.entries()) {
        const [task, ...args] = command.split(" ");
        const out = task === "train"
          ? ["--out", `${folder}/${at}`]
          : task === "sample"
          ? ["--output", `${folder}/${at}.png`]
          : [];
        const { code, stderr } = await readCommandLine(task, ...args, ...out);
        check.equal(
          `deno task ${command}`,
          {
            code,
            said: message.test(stderr) ? String(message) : stderr,
            errors: stderr.split("\n").filter((line) => line.startsWith("error: ")).length,
          },
          { code: 2, said: String(message), errors: 1 },
          "bad usage in one sentence",
        );
      }
      check.equal("files made", [...Deno.readDirSync(folder)].length, 0, "refused first");
    }),
);
