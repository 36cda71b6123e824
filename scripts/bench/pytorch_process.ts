/**
 * The PyTorch twin as a process that times itself on request.
 * @module
 */
import { fileURLToPath } from "node:url";
import { NETWORK_PRESETS, type NetworkConfig } from "../../src/networks/registry.ts";
import { type Contender, DIGITS_COUNT, type Rival } from "./contender.ts";

const script = fileURLToPath(new URL("../../pytorch/bench.py", import.meta.url));

interface About {
  readonly name: string;
  readonly device: string;
  readonly threads: number;
  readonly layouts: { readonly forward: string; readonly step: string };
}

/**
 * Starts the twin of a network, eager or compiled. For the digits it is the tutorial's network and its Euler–Maruyama of
 * so many steps.
 * @throws {Error} When there is no python3 with PyTorch, or for torch.compile no C++ compiler.
 */
export async function openTwin(
  rival: Rival,
  config: NetworkConfig,
  batch: number,
  twinSteps: number,
): Promise<Contender> {
  const tutorial = JSON.stringify(NETWORK_PRESETS.tutorial);
  const args = [
    script,
    JSON.stringify(config),
    String(batch),
    tutorial,
    String(DIGITS_COUNT),
    String(twinSteps),
    rival,
  ];
  const process = new Deno.Command("python3", { args, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  const errors = new Response(process.stderr).text();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(lineStream()).getReader();
  const requests = process.stdin.getWriter();
  const answer = async (): Promise<unknown> => {
    const { done, value } = await lines.read();
    if (done) throw new Error(`the PyTorch twin stopped: ${(await errors).trim().split("\n").at(-1)}`);
    return JSON.parse(value);
  };
  const ask = async (request: string): Promise<number> => {
    await requests.write(new TextEncoder().encode(`${request}\n`));
    return await answer() as number;
  };
  const about = await answer() as About;
  return {
    name: about.name,
    about:
      `${about.device}, ${about.threads} threads, forward ${about.layouts.forward}, step ${about.layouts.step}`,
    time: ask,
    memory: () => ask("memory"),
    async close() {
      await requests.close();
      await process.status;
    },
  };
}

/** Text in chunks to lines without their ends. */
function lineStream(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
