/** Claims about the messages between conform and a program, as docs/conformance.md specifies them. @module */
import { declared } from "../../conformance/declarations.ts";
import { Lines } from "../../conformance/lines.ts";
import { ProgramFault, readMessage, runMessage, valueMessage } from "../../conformance/messages.ts";
import { claim } from "../../suite/claim.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The message of an object. */
const read = (message: unknown, shape: readonly [number, number] | null = [1, 2]) =>
  readMessage(bytes(JSON.stringify(message)), shape);

/** What is said of an object that is no message; empty where it is one. */
function fault(message: unknown, shape?: readonly [number, number] | null): string {
  try {
    read(message, shape);
    return "";
  } catch (error) {
    return error instanceof ProgramFault ? error.message : `not a fault: ${error}`;
  }
}

// 1 is 3f f0 00 … in float64 and 3f 80 00 00 in float32, −2.5 is c0 04 00 … and c0 20 00 00; little-endian the last comes first.
const one = { shape: [1, 2], dtype: "float64", data: "AAAAAAAA8D8AAAAAAAAEwA==" };
const half = { shape: [1, 2], dtype: "float32", data: "AACAPwAAIMA=" };

claim("arrays are the numbers' bytes in IEEE 754, little-endian, in base64", (check) => {
  for (const state of [one, half]) {
    const message = read({ type: "done", state });
    check.equal(
      state.dtype,
      message.type === "done" ? [...message.end.state] : message,
      [1, -2.5],
      "IEEE 754",
    );
    const line = JSON.parse(
      valueMessage("answer", Float64Array.of(1, -2.5), [1, 2], state.dtype as "float64"),
    );
    check.equal(`${state.dtype}, written`, line, { type: "answer", value: state }, "the same");
  }
});

claim("the fields of a message arrive, and those that are left out have the protocol's defaults", (check) => {
  const hello = { type: "hello", protocol: 1, name: " a \n sampler " };
  const plain = { noise: "given", start: "given", grid: "given", precision: "float64", declares: {} };
  const source = "docs/conformance.md";
  check.equal(
    "hello",
    read(hello, null),
    { type: "hello", description: { name: "a sampler", ...plain } },
    source,
  );
  const chosen = {
    noise: "own",
    start: "own",
    grid: "own",
    precision: "float32",
    declares: { order: 2, process: "ode", evaluationsPerStep: 2, sampler: "dpm++2m" },
  };
  const described = { type: "hello", description: { name: "a sampler", ...chosen } };
  check.equal("all of hello", read({ ...hello, ...chosen }, null), described, source);
  const level = (fields: object) => {
    const message = read({ type: "model", x: one, answer: "score", ...fields });
    return message.type === "model" ? message.level : message;
  };
  check.equal("time", level({ time: 0.5 }), { time: 0.5 }, source);
  check.equal("sigma", level({ sigma: 3 }), { sigma: 3 }, source);
  check.equal("sigma and alpha", level({ sigma: 3, alpha: 0.5 }), { sigma: 3, alpha: 0.5 }, source);
  const done = read({ type: "done", state: one, time: 0 });
  check.equal("the end's level", done.type === "done" && done.end.level, { time: 0 }, source);
});

claim(
  "a run is told as one line with the states in the sampler's precision and the grid in float64",
  (check) => {
    const grid = ["times", "alphas", "sigmas", "drifts", "diffusions"];
    const levels = Object.fromEntries(grid.map((name) => [name, Float64Array.of(1, -2.5)]));
    const run = {
      sde: { kind: "sigma-power", sigma: 25 },
      steps: 1,
      grid: levels,
      shape: [1, 2],
      start: Float64Array.of(1, -2.5),
      seed: 7,
    } as unknown as Parameters<typeof runMessage>[0];
    const line = runMessage(run, 3, "float32");
    check.equal("line breaks", line.indexOf("\n"), line.length - 1, "one, at the end");
    const column = { ...one, shape: [2] };
    const told = Object.fromEntries(grid.map((name) => [name, column]));
    const { sde, steps, shape, seed } = run;
    check.equal("run", JSON.parse(line), {
      type: "run",
      run: 3,
      sde,
      steps,
      ...told,
      shape,
      start: half,
      seed,
    }, "docs");
    const own = JSON.parse(runMessage({ ...run, start: null }, 0, "float64"));
    check.equal("start of one that draws its own", own.start, null, "docs/conformance.md");
  },
);

const model = { type: "model", x: one, answer: "score", time: 1 };
const hello = { type: "hello", protocol: 1, name: "a" };

/** Invalid messages, with a part of the sentence that refuses each. */
const faults:
  readonly (readonly [message: unknown, words: string, shape?: readonly [number, number] | null])[] = [
    [7, 'wrote "7" to stdout'],
    [null, 'wrote "null" to stdout'],
    [[model], "to stdout, where only messages go"],
    [{}, "a message of the program has no type"],
    [{ type: 3 }, "a message of the program has no type"],
    [{ type: "constructor" }, 'has the type "constructor"'],
    [{ ...hello, protocol: "1" }, 'speaks version "1"', null],
    [{ ...hello, name: "" }, 'the name in the hello message must be a text, got ""', null],
    [{ ...hello, noise: "mine" }, 'noise in the hello message must be one of given, own, got "mine"', null],
    [
      { ...hello, precision: "float16" },
      "precision in the hello message must be one of float64, float32",
      null,
    ],
    [{ ...hello, declares: [] }, "declares must be an object", null],
    [{ ...hello, declares: { orders: 2 } }, 'declares has an unknown field "orders"', null],
    [{ ...hello, declares: { process: "pde" } }, "process in declares must be sde or ode", null],
    [{ ...hello, declares: { sampler: "mine" } }, "sampler in declares must be one of ", null],
    [{ ...hello, declares: { evaluationsPerStep: 0 } }, "evaluationsPerStep in declares must be ", null],
    [model, 'first message must be hello, got "model"', null],
    [hello, "hello a second time"],
    [{ ...model, time: undefined }, "must have either time or sigma, got none"],
    [{ ...model, time: -1 }, "time in the model message must be a finite number from 0 up, got -1"],
    [{ ...model, time: "1" }, 'time in the model message must be a finite number from 0 up, got "1"'],
    [{ ...model, alpha: 1 }, "alpha in the model message goes with sigma, not with time"],
    [{ ...model, time: undefined, sigma: 1, alpha: 0 }, "alpha in the model message must be "],
    [{ ...model, x: [1, 2] }, "x of the model message must be an object"],
    [
      { ...model, x: { ...one, dtype: "float16" } },
      "dtype of x of the model message must be one of float64, float32",
    ],
    [{ ...model, x: { ...one, shape: [2, 1] } }, "must have the run's shape [1,2], got [2,1]"],
    [{ ...model, x: { ...one, shape: [2] } }, "must have the run's shape [1,2], got [2]"],
    [{ ...model, x: { ...one, data: "%%%" } }, 'must be base64, got "%%%"'],
    [{ ...model, x: { ...one, data: 5 } }, "must be base64, got 5"],
    [{ ...model, x: { ...one, data: "AAAA" } }, "has 3 bytes, no multiple of 8 of float64"],
    [{ ...model, x: { ...one, data: "AAAAAAAA8D8=" } }, "has 1 numbers of float64, its shape needs 2"],
    [{ ...model, x: { ...half, data: "AACAfwAAwH8=" } }, "has Infinity in row 0, column 0"],
    [{ ...model, x: { ...half, data: "AACAPwAAwH8=" } }, "has NaN in row 0, column 1"],
    [{ type: "done" }, "the done message has no state"],
    [{ type: "done", state: one, sigma: 1, time: 1 }, "must have either time or sigma, got both"],
    [{ type: "noise", shape: [1, 2] }, 'the noise message has an unknown field "shape"'],
    [{ type: "error" }, "the error message has no message"],
    [{ type: "error", message: 5 }, "the error's message must be a text, got 5"],
  ];

claim("an invalid message is refused in a sentence with the value and what is allowed", (check) => {
  for (const [message, words, shape] of faults) {
    const said = fault(message, shape === undefined ? [1, 2] : shape);
    check.holds(`${JSON.stringify(message).slice(0, 90)}: ${said}`, said.includes(words), words);
  }
});

claim("no line that a program may write does anything but be read or be refused", (check) => {
  const whole = [hello, model, { type: "noise" }, { type: "done", state: half, sigma: 0 }, {
    type: "error",
    message: "x",
  }];
  const parts = [
    "{",
    "}",
    "[",
    '"',
    ":",
    ",",
    "\\",
    "1e999",
    "-0",
    "null",
    "\u0000",
    "é",
    "__proto__",
    "=",
    "A",
  ];
  let state = check.seed % 2147483647 || 1;
  const below = (most: number) => (state = state * 48271 % 2147483647) % most;
  const others = new Set<string>();
  let refused = 0;
  for (let i = 0; i < 4000; i++) {
    const text = JSON.stringify(whole[below(whole.length)]);
    const at = below(text.length);
    const changed = text.slice(0, at) + parts[below(parts.length)] + text.slice(at + below(4));
    try {
      readMessage(bytes(changed), below(2) === 0 ? null : [1, 2]);
    } catch (error) {
      refused++;
      if (!(error instanceof ProgramFault) || error.message.includes("\n")) {
        others.add(`${changed}: ${error}`);
      }
    }
  }
  check.equal("what is neither", [...others], [], "ProgramFault, in one line");
  check.atLeast("refused", refused, 2000, "most changes break a message");
});

/** A stream of these chunks. */
const stream = (...chunks: readonly string[]) => ReadableStream.from(chunks.map(bytes));

claim(
  "lines are found however the bytes arrive, and one that is too long is not waited for",
  async (check) => {
    const text = `first\r\n\nthe third is ${"x".repeat(300)}\nlast`;
    for (const size of [1, 2, 7, 1000]) {
      const chunks = text.match(new RegExp(`[^]{1,${size}}`, "g"))!;
      const lines = new Lines(stream(...chunks));
      const found: (string | null)[] = [];
      for (let i = 0; i < 4; i++) {
        const line = await lines.next(400);
        found.push(line === null ? null : new TextDecoder().decode(line));
      }
      check.equal(
        `in chunks of ${size}`,
        found,
        ["first", "", `the third is ${"x".repeat(300)}`, null],
        "no end, no line",
      );
    }
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 100;
        controller.enqueue(bytes("x".repeat(100)));
      },
    });
    const words = await new Lines(endless).next(1000).catch((error) => error.message);
    check.holds(String(words), /more than 1000 bytes/.test(String(words)), "a sentence");
    check.atMost("bytes taken", sent, 1500, "little more than a line may have");
  },
);

claim("--declare says what a program's declares say", (check) => {
  const fields = { order: 2, process: "ode", evaluationsPerStep: 1.5, sampler: "dpm++2m" };
  check.equal(
    "all",
    declared("order=2,process=ode,evaluations=1.5,sampler=dpm++2m"),
    fields,
    "docs/conformance.md",
  );
  check.equal("none", declared(""), {}, "nothing is declared");
  for (
    const text of ["order", "order=", "order=x", "order=-1", "order=2;process=ode", "=2", "hasOwnProperty=1"]
  ) {
    let said = "";
    try {
      declared(text);
    } catch (error) {
      said = (error as Error).message;
    }
    check.holds(
      `${text}: ${said}`,
      /^(--declare takes|order in declares must be) .*/.test(said),
      "a sentence",
    );
  }
});
