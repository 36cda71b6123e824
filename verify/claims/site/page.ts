/** Claims about the playground as Chromium shows it. @module */
import { consistency, createRng, drawSamples, loadPretrained, scoreModel, veSde } from "../../../mod.ts";
import { serveFolder } from "../../../site/build/server.ts";
import { buildSite } from "../../../site/build/site.ts";
import { readHash } from "../../../site/settings/hash.ts";
import type { Mode } from "../../../site/settings/modes.ts";
import { panelFields } from "../../../site/settings/panels.ts";
import { registryFacts } from "../../../site/build/registry.ts";
import type { Seen } from "../../instruments/playground_session.ts";
import { withFolder } from "../../instruments/temporary_folder.ts";
import { claim, type ClaimOptions } from "../../suite/claim.ts";

const inChromium: ClaimOptions = { engines: ["wasm"], needs: ["chromium", "npm-tools"] };

let session: Promise<Seen & { readonly url: string }> | null = null;

/** What a reader sees of the built page; the browser is opened once for all claims. */
function seen(): Promise<Seen & { readonly url: string }> {
  return session ??= withFolder(async (parent) => {
    const folder = `${parent}/site`;
    await buildSite(folder);
    const server = serveFolder(folder, 0);
    try {
      const program = new URL("../../instruments/playground_session.ts", import.meta.url).href;
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", "--no-lock", "--cached-only", "--no-config", program, server.url],
        env: { NO_COLOR: "1" },
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      return { url: server.url, ...JSON.parse(new TextDecoder().decode(stdout)) as Seen };
    } finally {
      await server.stop();
    }
  });
}

claim(
  "the page draws in Chromium the digit that drawSamples draws for the same seed",
  inChromium,
  async (check) => {
    const { first, errors } = await seen();
    check.equal("errors", errors, [], "the console");
    const network = await loadPretrained("mnist-consistency");
    const model = scoreModel(network.withLabels(3), veSde({ sigmaMin: 0.005, sigmaMax: 40 }));
    const grid = { kind: "levels", steps: 3 } as const;
    const x = await drawSamples(model, consistency(), { shape: [1, 28, 28, 1], grid, rng: createRng(7) });
    const expected = Array.from(
      await x.data(),
      (v) => Math.min(255, Math.max(0, Math.round((v + 1) * 127.5))),
    );
    check.equal("pixels", first.pixels.length, expected.length, "28 × 28");
    const gap = expected.reduce((most, byte, i) => Math.max(most, Math.abs(byte - first.pixels[i])), 0);
    check.atMost("bytes apart", gap, 1, "drawSamples; a rounding may cross the middle between two bytes");
    check.holds(
      first.status,
      /^[\d.]+ m?s a step, 3 evaluations of the network\./.test(first.status),
      "time per step",
    );
    check.equal("engine", first.engine, "Computing with wasm, as asked.", "useEngine's reason");
    x.dispose();
    network.dispose();
  },
);

claim("nothing that the page does asks another origin than its own", inChromium, async (check) => {
  const { asked, url } = await seen();
  const foreign = asked.filter((address) =>
    !address.startsWith(url) && !/^(data:|about:|blob:)/.test(address)
  );
  check.equal("addresses of other origins", foreign, [], "what pages and workers asked for");
  check.atLeast("requests that were seen", asked.length, 20, "code, weights and style");
});

claim(
  "no task of the page takes 50 ms of the processor while digits are drawn and particles move",
  inChromium,
  async (check) => {
    const { longest } = await seen();
    check.atLeast("tasks that were seen", longest.tasks, 200, "the trace of the main thread");
    check.atMost(
      "longest task in ms",
      longest.milliseconds,
      50,
      "what Chromium calls a long task, without other programs' time",
    );
  },
);

claim(
  "an address that says something wrong shows one sentence above the panel, and the default",
  inChromium,
  async (check) => {
    const { wrong } = await seen();
    check.holds(
      wrong.problem,
      /sampler must be one of .*got "euler"/.test(wrong.problem),
      "the value and what is allowed",
    );
    check.equal("sampler", wrong.sampler, "consistency", "the default");
  },
);

claim("arrow keys move modes and the pen, and what is moved is in the address", inChromium, async (check) => {
  const { moved, stroke } = await seen();
  const panels = panelFields(registryFacts());
  const [before] = panels.plane.modes.default;
  const { values } = readHash(moved.hash, panels);
  const [after] = values.modes as readonly Mode[];
  check.equal("the first mode", [after.x, after.y], [before.x + 0.1, before.y], "one step to the right");
  check.holds(moved.focused, /^Mode 1 /.test(moved.focused), "the focus stays on the handle");
  check.atLeast("bright pixels of a stroke of five places", stroke.bright, 5, "each place has ink");
  const { values: bits } = readHash(stroke.hash, panels);
  const ink = Array.from(bits.image as Uint8Array).filter((level) => level * 17 > 200).length;
  check.equal("bright pixels in the address", ink, stroke.bright, "the picture on the board");
});

claim("a run that is stopped ends there", inChromium, async (check) => {
  const { stopped } = await seen();
  check.equal("status", stopped.status, "Stopped.", "the page's word");
  const step = Number(/^step (\d+) of 1000/.exec(stopped.step)?.[1]);
  check.atMost("the step that is shown", step, 900, "of a thousand");
});

claim(
  "on a phone nothing is wider than the screen, every control has a name, and who asks for little motion sees ends only",
  inChromium,
  async (check) => {
    const { overflow, nameless, still } = await seen();
    check.equal(
      "pixels beyond 390",
      overflow,
      { draw: 0, complete: 0, colour: 0, plane: 0, bits: 0 },
      "no scrolling sideways",
    );
    check.equal("controls without a name", nameless, [], "labels");
    check.equal(
      "steps that were shown",
      still.map((words) => words.split(",")[0]),
      ["step 30 of 30"],
      "the last one",
    );
  },
);
