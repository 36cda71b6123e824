/** Claims about the settings of the playground and the addresses that hold them. @module */
import { registryFacts } from "../../../site/build/registry.ts";
import { readHash, writeHash } from "../../../site/settings/hash.ts";
import { type Mode, movedMode } from "../../../site/settings/modes.ts";
import { type PanelFields, panelFields, type PanelName, panelNames } from "../../../site/settings/panels.ts";
import { createRng, samplerNames, sdeNames } from "../../../mod.ts";
import { claim } from "../../suite/claim.ts";

const registry = registryFacts();
const panels = panelFields(registry);

type AnyValues = Record<string, unknown>;

/** Numbers that a seed draws, from 0 to 1. */
function numbers(seed: number): () => number {
  const values = createRng(seed).uniformValues([1, 4096]);
  let at = 0;
  return () => values[at++ % values.length];
}

/** A picture of levels, in runs as strokes have them, or of noise. */
function picture(draw: () => number, most: number): Uint8Array {
  const noisy = draw() < 0.2;
  let level = 0;
  return Uint8Array.from({ length: 784 }, () => {
    if (noisy || draw() < 0.1) level = Math.floor(draw() * (most + 1));
    return level;
  });
}

/** Values of a panel, as a reader could set them; written here without the fields under test. */
function anyValues(panel: PanelName, draw: () => number): AnyValues {
  const whole = (least: number, most: number) => least + Math.floor(draw() * (most - least + 1));
  const real = (least: number, most: number) => Math.round(1000 * (least + draw() * (most - least))) / 1000;
  const one = <T>(list: readonly T[]) => list[whole(0, list.length - 1)];
  const labels = ["any", ..."0123456789"];
  const common = { seed: whole(0, Number.MAX_SAFE_INTEGER - 1), engine: one(["auto", "webgpu", "wasm"]) };
  const source = {
    label: one(labels),
    from: whole(0, 1e9),
    image: draw() < 0.5 ? null : picture(draw, 15),
  };
  switch (panel) {
    case "draw":
      return {
        label: one(labels),
        count: one(["1", "4", "9", "16"]),
        sampler: one(samplerNames),
        sde: one(sdeNames),
        steps: draw() < 0.3 ? null : whole(1, 1000),
        guidance: real(0, 8),
        ...common,
      };
    case "complete":
      return {
        ...source,
        mask: draw() < 0.2 ? null : picture(draw, 1),
        method: one(["pigdm", "mmps", "tmpd", "dps", "diffpir", "twisted", "repaint", "replacement"]),
        steps: whole(2, 100),
        ...common,
      };
    case "colour":
      return { ...source, paper: real(0, 1), pen: real(0, 1), steps: whole(2, 100), ...common };
    case "plane": {
      const mode = (): Mode => ({ x: real(-3, 3), y: real(-3, 3), weight: real(0.05, 1) });
      return {
        shape: one(["mixture", "banana"]),
        modes: Array.from({ length: whole(1, 6) }, mode),
        spread: real(0.1, 1),
        width: real(0.3, 1.4),
        bend: real(-1, 1),
        particles: whole(50, 1000),
        steps: whole(10, 500),
        stepSize: real(0.001, 0.2),
        distance: one(["energy", "sliced"]),
        ...common,
      };
    }
    case "bits":
      return {
        image: draw() < 0.3 ? null : picture(draw, 15),
        method: one(["flow", "bound"]),
        steps: whole(4, 100),
        ...common,
      };
  }
}

claim("every setting of every panel comes back from the address that holds it", (check) => {
  let longest = 0;
  for (const panel of panelNames) {
    for (let i = 0; i < 60; i++) {
      const values = anyValues(panel, numbers(check.seed + i));
      const hash = writeHash(panel, values, panels);
      longest = Math.max(longest, hash.length);
      // Addresses are ASCII; URL writes what else there is as %xx.
      const address = new URL(hash, "http://127.0.0.1/").hash;
      check.equal(
        `${panel} ${i}`,
        readHash(address, panels),
        { panel, values, problem: null },
        "what was written",
      );
    }
  }
  check.atMost("characters of the longest address", longest, 4000, "what chats and mails take as a link");
});

claim(
  "an address without settings is a panel with its defaults, and the default is an address without settings",
  (check) => {
    for (const panel of panelNames) {
      const { values, problem } = readHash(`#${panel}`, panels);
      check.equal(`${panel}: problem`, problem, null, "nothing is wrong");
      check.equal(
        `${panel}: address of the defaults`,
        writeHash(panel, values, panels),
        `#${panel}`,
        "defaults are left out",
      );
    }
    check.equal("no address", readHash("", panels).panel, "draw", "the first panel");
    const { values } = readHash("", panels);
    check.equal(
      "the first digit's sampler",
      [values.sampler, values.steps],
      ["consistency", null],
      "three evaluations",
    );
  },
);

claim(
  "what an address says wrongly is one sentence with the value and what is allowed, and the default takes its place",
  (check) => {
    const wrong:
      readonly (readonly [hash: string, panel: PanelName, setting: string | null, sentence: RegExp])[] = [
        ["#draw?steps=0", "draw", "steps", /steps must be a whole number from 1 to 1000, got "0"/],
        ["#draw?steps=1e3", "draw", "steps", /steps must be a whole number from 1 to 1000, got "1e3"/],
        ["#draw?steps=3.5", "draw", "steps", /got "3.5"/],
        ["#draw?label=10", "draw", "label", /label must be one of any, 0, 1,.* got "10"/],
        ["#draw?sampler=euler", "draw", "sampler", /sampler must be one of euler-maruyama, .* got "euler"/],
        ["#draw?sampler=toString", "draw", "sampler", /sampler must be one of/],
        [
          "#draw?sde=ddpm",
          "draw",
          "sde",
          /sde must be one of ve, vp, subvp, sigma-power, flow, edm, got "ddpm"/,
        ],
        ["#draw?guidance=NaN", "draw", "guidance", /guidance must be a number from 0 to 8, got "NaN"/],
        ["#draw?guidance=9", "draw", "guidance", /got "9"/],
        ["#draw?seed=-1", "draw", "seed", /seed must be a whole number from 0 to 9007199254740991, got "-1"/],
        ["#draw?seed=9007199254740993", "draw", "seed", /got "9007199254740993"/],
        ["#draw?engine=cuda", "draw", "engine", /engine must be one of auto, webgpu, wasm, got "cuda"/],
        ["#draw?colour=1", "draw", null, /the settings of draw are label, count, .* got "colour"/],
        ["#draw?__proto__=1", "draw", null, /the settings of draw are/],
        ["#draw?seed=1&seed=2", "draw", null, /seed must be given once/],
        ["#film", "draw", null, /the panels are draw, complete, colour, plane, bits, got "film"/],
        // 49 bytes 0x5f: 784 pixels of level 5, and a mask has 0 and 1.
        [
          `#complete?mask=${btoa("_".repeat(49)).replaceAll("=", "")}`,
          "complete",
          "mask",
          /mask must be a picture/,
        ],
        [
          `#bits?image=${btoa("_".repeat(50)).replaceAll("=", "")}`,
          "bits",
          "image",
          /image must be a picture/,
        ],
        [`#bits?image=${btoa("_".repeat(48))}`, "bits", "image", /image must be a picture/],
        ["#complete?mask=A", "complete", "mask", /mask must be a picture of 28 × 28 pixels/],
        ["#complete?mask=%00%ff", "complete", "mask", /mask must be a picture/],
        ["#complete?image=AAAA", "complete", "image", /image must be a picture/],
        ["#plane?modes=1,2", "plane", "modes", /modes must be modes as x,y,weight/],
        ["#plane?modes=4,0,1", "plane", "modes", /modes must be a number from -3 to 3, got "4"/],
        ["#plane?modes=0,0,0", "plane", "modes", /modes must be a number from 0.05 to 1, got "0"/],
        [`#plane?modes=${"0,0,1;".repeat(6)}0,0,1`, "plane", "modes", /modes must be at most 6 modes, got 7/],
        [`#bits?image=${"A".repeat(9000)}`, "bits", null, /an address has at most 8000 characters, got 9011/],
      ];
    for (const [hash, panel, setting, sentence] of wrong) {
      const said = readHash(hash, panels);
      const brief = hash.slice(0, 40);
      check.equal(`${brief}: panel`, said.panel, panel, "the one that is named, or the first");
      check.holds(
        `${brief}: ${said.problem}`,
        sentence.test(said.problem ?? ""),
        "the value and what is allowed",
      );
      check.equal(`${brief}: lines`, said.problem?.split("\n").length, 1, "one sentence");
      check.atMost(`${brief}: characters`, said.problem?.length ?? Infinity, 700, "a few lines on a phone");
      if (setting === null) continue;
      const fields = panels[panel] as unknown as Record<string, { default: unknown }>;
      check.equal(`${brief}: ${setting}`, said.values[setting], fields[setting].default, "the default");
    }
    const both = readHash("#draw?steps=0&label=7&seed=x", panels);
    check.equal("a good setting beside two bad ones", both.values.label, "7", "what could be read is kept");
    check.holds(`${both.problem}`, /\(and 1 more\)/.test(both.problem ?? ""), "that there is more is said");
  },
);

claim(
  "no address makes the page fail: whatever is in it, a panel and all its settings come back",
  (check) => {
    const draw = numbers(check.seed);
    const letters = "#?&=%;,.-+_/\\\"'<>{}abcdrawplanebitsmodesimagemask0123456789éλ\u0000";
    let read = 0;
    for (let i = 0; i < 3000; i++) {
      const garbage = Array.from(
        { length: Math.floor(draw() * 60) },
        () => letters[Math.floor(draw() * letters.length)],
      ).join("");
      const panel = panelNames[Math.floor(draw() * panelNames.length)];
      const names = Object.keys(panels[panel]);
      const name = names[Math.floor(draw() * names.length)];
      for (const hash of [garbage, `#${panel}?${garbage}`, `#${panel}?${name}=${garbage}`]) {
        const { panel: found, values, problem } = readHash(hash, panels);
        const complete = Object.keys(panels[found as keyof PanelFields]).every((key) =>
          values[key] !== undefined
        );
        if (!complete) {
          check.holds(`${JSON.stringify(hash)}: all settings`, false, "readHash's contract");
        }
        if (problem === null) read++;
        // What was read is written and read again as the same.
        const again = readHash(writeHash(found, values, panels), panels);
        if (again.problem !== null) {
          check.equal(
            JSON.stringify(hash),
            again.problem,
            null,
            "what is written can be read",
          );
        }
      }
    }
    check.atLeast("addresses of garbage that could be read", read, 1, "some are empty");
    check.atMost("addresses of garbage that could be read", read, 3000, "most are wrong");
  },
);

claim("a mode that is dragged out of the square stays at its edge, at two decimals", (check) => {
  const mode = { x: 0, y: 0, weight: 0.4 };
  check.equal("far out", movedMode(mode, 17, -9), { x: 3, y: -3, weight: 0.4 }, "the square [−3, 3]²");
  check.equal("inside", movedMode(mode, 1.2345, -0.005), { x: 1.23, y: 0, weight: 0.4 }, "rounded to 0.01");
});
