/** Claims about programs that do not do what docs/conformance.md asks of them: one sentence each, and no process is left. @module */
import { fileURLToPath } from "node:url";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { run, start } from "../../instruments/run_task.ts";
import { claim } from "../../suite/claim.ts";

const program = fileURLToPath(new URL("../../problems/conformance_program.ts", import.meta.url));

/** The words with which conform measures the program. Deno cannot close its stdout, which a shell can. */
function words(behaviour: string, folder: string, ...flags: string[]): string[] {
  if (behaviour === "closed-stdout") {
    const hello = `echo '{"type": "hello", "protocol": 1, "name": "shell"}'`;
    return [...flags, "--", "sh", "-c", `${hello}; echo > ${folder}/$$; exec >&-; exec sleep 600`];
  }
  return [...flags, "--", Deno.execPath(), "run", "-A", "--no-lock", program, behaviour, folder];
}

/** The numbers of processes that were written down as files' names in the folder. */
function begun(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

/** Those of them that still run half a second later. */
async function leftBehind(folder: string): Promise<string[]> {
  for (let wait = 0; wait < 10; wait++) {
    const running = await Promise.all(begun(folder).map(async (name) => await runs(name) ? [name] : []));
    if (running.flat().length === 0) return [];
    await new Promise((later) => setTimeout(later, 50));
  }
  return begun(folder);
}

/** Whether a process runs: one that has ended may be there until the system's first process has taken notice. */
async function runs(pid: string): Promise<boolean> {
  const script = `kill -0 ${pid} 2> /dev/null && cat /proc/${pid}/stat 2> /dev/null || kill -0 ${pid}`;
  const { success, stdout } = await new Deno.Command("sh", { args: ["-c", script], stderr: "null" }).output();
  return success && !/^\d+ \(.*\) Z/.test(new TextDecoder().decode(stdout));
}

/** Behaviours of the program, with the sentence that each is answered with, and flags that make it short. */
const behaviours: readonly (readonly [behaviour: string, sentence: RegExp, ...flags: string[]])[] = [
  [
    "no-hello",
    /^the program wrote no message for 1.5 s; --timeout allows more \(before its first message\)$/,
    "--timeout",
    "0.5",
  ],
  ["early", /^the program's first message must be hello, got "noise" \(before its first message\)$/],
  [
    "version",
    /^the program speaks version 2 of the protocol; this kit speaks version 1 \(before its first message\)$/,
  ],
  ["declares", /^order in declares must be a finite number above 0 and up to 20, got "two" \(before/],
  [
    "silent",
    /^the program wrote no message for 4 s; --timeout allows more \(in run 0 of 32 steps, after 2 evaluations\); the end of its stderr:\nthinking$/,
    "--timeout",
    "4",
  ],
  ["asks-for-ever", /^the program asked for more than 4200 evaluations of the model in a run of 32 steps \(/],
  [
    "noise-for-ever",
    /^the program asked for noise more than 50 times in a run of 32 steps \(/,
    "--evaluations",
    "50",
  ],
  [
    "out-of-turn",
    /^the program wrote a message out of turn, before the answer to the one before it \(in run 0 of 32 steps, after 3 evaluations\)$/,
  ],
  [
    "prose",
    /^the program wrote " 6%\|▋{5}\| 2\/32" to stdout, where only messages go: print it to stderr instead \(/,
  ],
  [
    "dies",
    /^the program ended with exit code 3 \(in run 0 of 32 steps, after 2 evaluations\); the end of its stderr:\nSegmentation of the plane$/,
  ],
  ["killed", /^the program was ended by the signal SIGKILL \(in run 0 of 32 steps, after 2 evaluations\)$/],
  ["leaves", /^the program ended with exit code 0 \(in run 0 of 32 steps, after 2 evaluations\)$/],
  ["shape", /^x of the model message must have the run's shape \[4,6\], got \[23\] \(/],
  ["length", /^x of the model message has 48 numbers of float32, its shape needs 24 \(/],
  ["nan", /^x of the model message has NaN in row 1, column 1 \(/],
  ["level", /^the model message must have either time or sigma, got both \(/],
  ["late", /the time must be from 0 to 1, got 17 \(/],
  [
    "field",
    /^the model message has an unknown field "lable"; its fields are type, x, answer, time, sigma, alpha \(/,
  ],
  ["type", /^a message of the program has the type "modle"; use hello, model, noise, done or error \(/],
  [
    "answer",
    /^answer of the model message must be one of noise, denoised, score, velocity, got "epsilon" \(/,
  ],
  ["hello-again", /^the program said hello a second time \(/],
  [
    "not-json",
    /^a message of the program is not JSON(: it goes wrong at character \d+)?: "\{\\"type\\": \\"noise\\"" \(/,
  ],
  [
    "long-line",
    /^the program wrote more than 65792 bytes to stdout without a line's end: a message is one line \(/,
  ],
  ["bytes", /^the program wrote bytes to stdout that are no UTF-8 \(/],
  [
    "closed-stdout",
    /^the program closed its stdout and went on running \(in run 0 of 32 steps, after 0 evaluations\)$/,
  ],
  ["stubborn", /^the program wrote no message for 4 s; /, "--timeout", "4"],
];

claim(
  "whatever a program does instead of sampling, conform says it in a sentence, with exit code 2, and leaves no process",
  { needs: ["sh"] },
  (check) =>
    withFolder(async (parent) => {
      const examine = async ([behaviour, sentence, ...flags]: typeof behaviours[number]) => {
        const folder = `${parent}/${behaviour}`;
        await Deno.mkdir(folder);
        const { code, stdout, stderr } = await run("conform", ...words(behaviour, folder, ...flags));
        check.equal(`${behaviour}: exit code`, code, 2, stderr);
        check.equal(`${behaviour}: stdout`, stdout, "", "nothing was measured");
        const said = stderr.replace(/^error: /, "").trimEnd();
        check.holds(`${behaviour}: ${said}`, sentence.test(said), String(sentence));
        const left = await leftBehind(folder);
        check.equal(`${behaviour}: processes left`, left, [], "each is ended with its group");
      };
      // A few beside each other, as some wait.
      for (let i = 0; i < behaviours.length; i += 4) {
        await Promise.all(behaviours.slice(i, i + 4).map(examine));
      }
      check.equal(
        "processes begun",
        behaviours.map(([behaviour]) => begun(`${parent}/${behaviour}`).length),
        behaviours.map(([behaviour]) => behaviour === "stubborn" ? 2 : 1),
        "else none could be left",
      );
    }),
);

claim(
  "a program that cannot be started, or that none is named, is bad usage in one sentence",
  async (check) => {
    const cases: readonly (readonly [words: readonly string[], sentence: RegExp])[] = [
      [
        [],
        /^error: which program\? Give it after --, such as: deno task conform -- python3 my_sampler.py\n$/,
      ],
      [["--"], /^error: which program\? /],
      [["python3", "a.py"], /^error: unexpected argument "python3": /],
      [["--", "no-such-program"], /^error: the program "no-such-program" cannot be started: .*\n$/],
      [
        ["--declare", "ordre=2", "--", "sh"],
        /^error: --declare takes order=…, process=…, evaluations=…, sampler=…, got "ordre=2"\n$/,
      ],
      [
        ["--declare", "process=sd", "--", "sh"],
        /^error: process in declares must be sde or ode, got "sd"\n$/,
      ],
      [
        ["--sde", "vp", "--sigma", "3", "--", "sh"],
        /^error: --sigma is for --sde sigma-power, got --sde vp\n$/,
      ],
      [["--beta-min", "-1", "--", "sh"], /^error: betaMin must be .*got -1\n$/],
      [
        ["--only", "variance,ordre", "--", "sh"],
        /^error: --only must be one of conversation, .*, got "ordre"\n$/,
      ],
      [
        ["--json", "--markdown", "--", "sh"],
        /^error: --json and --markdown are two ways to print: give one\n$/,
      ],
    ];
    for (const [words, sentence] of cases) {
      const { code, stdout, stderr } = await run("conform", ...words);
      check.equal(`${words.join(" ")}: exit code and stdout`, [code, stdout], [2, ""], stderr);
      check.holds(`${words.join(" ")}: ${stderr.trim()}`, sentence.test(stderr), String(sentence));
    }
  },
);

for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  claim(
    `${signal} to conform ends the program and what it has started`,
    { needs: ["sh"] },
    (check) =>
      withFolder(async (folder) => {
        const process = await start("conform", ...words("stubborn", folder, "--timeout", "60"));
        while (begun(folder).length < 2) await new Promise((later) => setTimeout(later, 50));
        const running = await Promise.all(begun(folder).map(runs));
        check.equal("processes that run before", running, [true, true], "the program and its own");
        process.kill(signal);
        const [{ code }] = await Promise.all([
          process.status,
          process.stdout.cancel(),
          process.stderr.cancel(),
        ]);
        check.equal("exit code", code, expected, "128 and the signal's number");
        check.equal("processes left", await leftBehind(folder), [], "they are a group of their own");
      }),
  );
}

claim(
  "a program is ended with all that it has started once it was measured, and its exit code is its own affair",
  { needs: ["sh"] },
  (check) =>
    withFolder(async (folder) => {
      const { code, stderr } = await run("conform", ...words("leaves-another", folder, "--only", "rows"));
      check.equal("exit code", code, 0, stderr);
      check.equal("processes begun", begun(folder).length, 2, "the program and its own");
      check.equal("processes left", await leftBehind(folder), [], "the second would stay for ever");
    }),
);

claim("what has left the program's group does not hold conform up, though it holds its pipes", {
  needs: ["sh"],
}, (check) =>
  withFolder(async (folder) => {
    const process = await start("conform", ...words("leaves-another-group", folder, "--only", "rows"));
    const late = new Promise<null>((resolve) => setTimeout(resolve, 60_000, null));
    const status = await Promise.race([process.status, late]);
    check.equal("exit code", status?.code, 0, "it ends within a minute, and the other process after two");
    const others = await Promise.all(begun(folder).map(async (name) => await runs(name) ? [name] : []));
    check.equal("processes left", others.flat().length, 1, "docs/conformance.md: these are not ended");
    for (const pid of others.flat()) Deno.kill(Number(pid), "SIGKILL");
    await Promise.all([process.stdout.cancel(), process.stderr.cancel()]);
    if (status === null) process.kill("SIGKILL");
  }));
