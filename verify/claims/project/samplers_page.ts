/** Claims about docs/samplers.md: its tables say what the registries say, and what it advises exists. @module */
import { withTables } from "../../../scripts/build/sampler_tables.ts";
import { sdeInfo, sdeKinds } from "../../../src/diffusion/sde_registry.ts";
import { otherNames } from "../../../src/samplers/other_names.ts";
import { nfePerStep, samplerInfo, samplerNames } from "../../../src/samplers/registry.ts";
import { claim } from "../../suite/claim.ts";

const read = () => Deno.readTextFile(new URL("../../../docs/samplers.md", import.meta.url));

/** The cells below a table's head, between the comments that name it. */
function cellsOf(text: string, name: string): string[][] {
  const between = text.split(`<!-- ${name} -->`)[1].split("<!-- end -->")[0];
  const rows = between.trim().split("\n").map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  return rows.slice(2);
}

claim(
  "docs/samplers.md has every sampler with its order, cost, grid and options, as the registry",
  async (check) => {
    const text = await read();
    const rows = new Map(
      cellsOf(text, "samplers").map(([name, ...cells]) => [name.replaceAll("`", ""), cells]),
    );
    const options = cellsOf(text, "options");
    check.equal("samplers", [...rows.keys()], samplerNames, "the registry");
    for (const name of samplerNames) {
      const { kind, path, order, grid, source, options: accepted } = samplerInfo(name);
      const [cellKind, cellPath, cellOrder, cellNfe, cellGrid, cellSource] = rows.get(name) ?? [];
      check.equal(`${name}: kind, source`, [cellKind, cellSource], [kind, source], "the registry");
      check.equal(`${name}: process`, cellPath === "–" ? "none" : cellPath, path, "the registry");
      check.equal(`${name}: order`, cellOrder === "–" ? null : Number(cellOrder), order, "the registry");
      const nfe = cellNfe === "its own choice" ? null : parseFloat(cellNfe);
      check.equal(`${name}: NFE a step`, nfe, nfePerStep(name), "the registry");
      const [gridKind, steps, rho] = (cellGrid ?? "").split(", ");
      check.equal(
        `${name}: grid`,
        { kind: gridKind, steps: Number(steps), ...(rho && { rho: Number(rho.slice(4)) }) },
        { ...grid },
        "the registry",
      );
      const own = options.filter(([, , sampler]) => sampler === `\`${name}\``);
      check.equal(
        `${name}: options with defaults and sources`,
        Object.fromEntries(
          own.map(([option, , , value, source]) => [option.replaceAll("`", ""), [value, source]]),
        ),
        Object.fromEntries(
          Object.entries(accepted).map(([key, row]) => [key, [String(row.default), row.source]]),
        ),
        "the registry",
      );
    }
  },
);

claim("docs/samplers.md has every SDE with its fields and their defaults", async (check) => {
  const rows = cellsOf(await read(), "sdes");
  check.equal("kinds", rows.map(([kind]) => kind.replaceAll("`", "")), sdeKinds, "the registry");
  for (const [i, kind] of sdeKinds.entries()) {
    const config = sdeInfo(kind).byDefault?.().config ?? {};
    for (const [name, value] of Object.entries(config)) {
      if (name === "kind") continue;
      check.holds(`${kind}: ${name} ${value}`, rows[i][2].includes(`\`${name}\` ${value}`), rows[i][2]);
    }
    for (const name of Object.keys(sdeInfo(kind).fields)) {
      check.holds(`${kind}: ${name}`, rows[i][2].includes(`\`${name}\``), rows[i][2]);
    }
  }
});

claim(
  "deno task docs:samplers would change nothing, and advice names samplers that there are",
  async (check) => {
    const text = await read();
    check.holds("the page as the command writes it", withTables(text) === text, "deno task docs:samplers");
    check.holds(
      "an empty page's tables are filled",
      withTables("<!-- sdes -->\n\n<!-- end -->").includes("`vp`"),
      "",
    );
    const advice = text.split("## Which to take")[1].split("## All samplers")[0];
    const bold = [...advice.matchAll(/\*\*([^*]+)\*\*/g)].flatMap((
      [, words],
    ) => [...words.matchAll(/`([^`]+)`/g)]);
    check.atLeast("samplers that are advised", bold.length, 10, "the page");
    const unknown = bold.map(([, name]) => name).filter((name) => !samplerNames.includes(name));
    check.equal("names that no sampler has", unknown, [], "the registry");
  },
);

claim("docs/names.md has the names that the registry of names has", async (check) => {
  const text = await Deno.readTextFile(new URL("../../../docs/names.md", import.meta.url));
  check.equal("the page, written again", withTables(text), text, "deno task docs:samplers");
  const rows = cellsOf(text, "names");
  check.equal(
    "names",
    rows.map(([name]) => name),
    otherNames.map(({ name }) => name),
    "src/samplers/other_names.ts",
  );
  const here = rows.map(([, , , cell]) => cell === "–" ? null : cell.replaceAll("`", "").split(" ")[0]);
  check.equal("samplers", here, otherNames.map(({ sampler }) => sampler), "src/samplers/other_names.ts");
});
