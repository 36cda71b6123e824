/**
 * A program whose sampler is measured, and the ways in which it goes wrong: `conformance_program.ts BEHAVIOUR FOLDER`. It speaks
 * the protocol of docs/conformance.md by that page alone, without a module of this project. Its process number, and that of
 * a process that it starts, are files' names in the folder.
 * @module
 */

interface Message {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface ArrayMessage {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: string;
}

const [behaviour, folder] = Deno.args;
const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
let unread = "";

async function hear(): Promise<Message> {
  while (!unread.includes("\n")) {
    const { value, done } = await input.read();
    if (done) Deno.exit(0);
    unread += value;
  }
  const at = unread.indexOf("\n");
  const line = unread.slice(0, at);
  unread = unread.slice(at + 1);
  return JSON.parse(line);
}

function write(text: string | Uint8Array): void {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}

function say(message: Message): void {
  write(`${JSON.stringify(message)}\n`);
}

function decode({ data }: ArrayMessage): Float64Array {
  return new Float64Array(Uint8Array.fromBase64(data).buffer);
}

function encode(values: Float64Array, shape: readonly number[]): ArrayMessage {
  return { shape, dtype: "float64", data: new Uint8Array(values.slice().buffer).toBase64() };
}

/** Stays for two minutes, whatever SIGTERM says. */
function stay(): Promise<never> {
  Deno.addSignalListener("SIGTERM", () => {});
  setTimeout(() => Deno.exit(), 120_000);
  return new Promise(() => {});
}

/** Starts a process that SIGTERM does not end for two minutes, and that holds this one's pipes. */
function startAnother(detached = false): void {
  const script = `trap "" TERM; echo > ${folder}/$$; for n in 1 2 3 4 5 6; do sleep 20; done`;
  const pipes = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
  new Deno.Command("sh", { args: ["-c", script], ...pipes, detached }).spawn();
}

/** Euler–Maruyama of the reverse SDE (Song et al. 2021, eq. 6), with what goes wrong on the way. */
async function sample(run: Record<string, unknown>): Promise<void> {
  const [times, drifts, diffusions] = ["times", "drifts", "diffusions"].map((name) =>
    decode(run[name] as ArrayMessage)
  );
  const shape = run.shape as number[];
  let x = decode(run.start as ArrayMessage);
  const ask = async (time: number): Promise<Float64Array> => {
    say({ type: "model", x: encode(x, shape), time, answer: "score" });
    return decode((await hear()).value as ArrayMessage);
  };
  for (let i = 0; i < times.length - 1; i++) {
    if (i === 2) await goWrong(x, shape, times[i], ask);
    const [h, f, g] = [times[i] - times[i + 1], drifts[i], diffusions[i]];
    const score = await ask(times[i]);
    say({ type: "noise" });
    const noise = decode((await hear()).value as ArrayMessage);
    x = x.map((value, k) => value - h * (f * value - g * g * score[k]) + g * Math.sqrt(h) * noise[k]);
  }
  say({ type: "done", state: encode(x, shape) });
}

/** What happens after two steps. */
async function goWrong(
  x: Float64Array,
  shape: readonly number[],
  time: number,
  ask: (time: number) => Promise<Float64Array>,
): Promise<void> {
  const question = { type: "model", x: encode(x, shape), time, answer: "score" };
  switch (behaviour) {
    case "silent":
      console.error("thinking");
      return await stay();
    case "asks-for-ever":
      for (;;) await ask(time);
    case "noise-for-ever":
      for (;;) {
        say({ type: "noise" });
        await hear();
      }
    case "out-of-turn":
      return write(`${JSON.stringify(question)}\n${JSON.stringify(question)}\n`);
    case "prose":
      return write(" 6%|▋▋▋▋▋| 2/32\n");
    case "dies":
      console.error("Segmentation of the plane");
      return Deno.exit(3);
    case "killed":
      return Deno.kill(Deno.pid, "SIGKILL");
    case "leaves":
      return Deno.exit(0);
    case "shape":
      return say({ ...question, x: encode(x.subarray(1), [x.length - 1]) });
    case "length":
      return say({ ...question, x: { ...encode(x, shape), dtype: "float32" } });
    case "nan":
      return say({ ...question, x: encode(x.map((value, i) => i === 7 ? NaN : value), shape) });
    case "level":
      return say({ ...question, sigma: 1 });
    case "late":
      return say({ ...question, time: 17 });
    case "field":
      return say({ ...question, lable: 3 });
    case "type":
      return say({ type: "modle" });
    case "answer":
      return say({ ...question, answer: "epsilon" });
    case "hello-again":
      return say({ type: "hello", protocol: 1, name: "again" });
    case "not-json":
      return write('{"type": "noise"\n');
    case "long-line":
      for (;;) write("x".repeat(65_536));
    case "bytes":
      return write(new Uint8Array([0xff, 0xfe, 10]));
    case "stubborn":
      startAnother();
      return await stay();
  }
}

await Deno.writeTextFile(`${folder}/${Deno.pid}`, "");
if (behaviour === "no-hello") await stay();
if (behaviour === "early") say({ type: "noise" });
const version = behaviour === "version" ? 2 : 1;
const declares = behaviour === "declares" ? { order: "two" } : {};
const name = behaviour === "named" ? "<script>alert(1)</script> | @all\n\u001b[2J" : "program";
say({ type: "hello", protocol: version, name, declares });
if (/^leaves-another/.test(behaviour)) startAnother(behaviour === "leaves-another-group");
for (;;) {
  const message = await hear();
  if (message.type === "end") break;
  if (behaviour === "keeps-run") {
    const levels = ["times", "alphas", "sigmas", "drifts", "diffusions"].map((field) => [
      field,
      [...decode(message[field] as ArrayMessage)],
    ]);
    await Deno.writeTextFile(
      `${folder}/run.json`,
      JSON.stringify({ ...message, ...Object.fromEntries(levels) }),
    );
  }
  if (behaviour === "refuses") say({ type: "error", message: "needs 1000 steps\nor more" });
  else await sample(message);
}
if (/^leaves-another/.test(behaviour)) Deno.exit(0);
