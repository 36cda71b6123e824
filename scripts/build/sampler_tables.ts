/**
 * Writes the tables of docs/samplers.md and docs/names.md from the registries: `deno task docs:samplers`.
 * @module
 */
import { fileURLToPath } from "node:url";
import { sdeInfo, sdeKinds } from "../../src/diffusion/sde_registry.ts";
import type { GridConfig } from "../../src/diffusion/time_grid.ts";
import { nfePerStep, samplerInfo, samplerNames } from "../../src/samplers/registry.ts";
import { libraryNames, otherNames } from "../../src/samplers/other_names.ts";
import type { SamplerInfo, SamplerOptions } from "../../src/samplers/sampler_info.ts";
import { samplerOptionInfos, samplerOptionNames } from "../../src/samplers/sampler_info.ts";
import { atomicWrite } from "../cli/files.ts";
import { flagName, parseFlags, runScript } from "../cli/flags.ts";

const pages = ["samplers.md", "names.md"].map((name) =>
  fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))
);

/** The page with its tables as the registries have them; each stands between two comments that name it. */
export function withTables(text: string): string {
  const tables = {
    samplers: samplers(),
    options: options(),
    sdes: sdes(),
    names: names(),
    libraries: libraries(),
  };
  return Object.entries(tables).reduce(
    (text, [name, rows]) =>
      text.replace(
        new RegExp(`(<!-- ${name} -->\\n)[^]*?(\\n<!-- end -->)`),
        (_, start, end) => `${start}\n${table(rows)}\n${end}`,
      ),
    text,
  );
}

function samplers(): string[][] {
  return [
    ["sampler", "kind", "process", "order", "NFE a step", "grid and steps", "source"],
    ...samplerNames.map((name) => {
      const info = samplerInfo(name);
      return [
        `\`${name}\``,
        info.kind,
        info.path === "none" ? "–" : info.path,
        String(info.order ?? "–"),
        nfe(name, info),
        gridText(info.grid),
        info.source,
      ];
    }),
  ];
}

function nfe(name: string, { nfePerStep: stated, nfeOfStart: [more = 0], nfeOfEnd }: SamplerInfo): string {
  const count = nfePerStep(name);
  if (count === null) return "its own choice";
  const [last = count] = nfeOfEnd({});
  return `${count}${typeof stated === "function" ? " by default" : ""}${
    more > 0 ? `, at first ${count + more}` : ""
  }${last === count ? "" : `, at last ${last}`}`;
}

function gridText({ kind, steps, rho }: GridConfig): string {
  return `${kind}, ${steps}${rho === undefined ? "" : `, ρ = ${rho}`}`;
}

function options(): string[][] {
  return [
    ["option", "flag", "sampler", "default", "whose default", "meaning"],
    ...samplerOptionNames.flatMap((option) =>
      samplerNames.flatMap((name) => {
        const row = samplerInfo(name).options[option];
        if (row === undefined) return [];
        const { help } = samplerOptionInfos[option];
        return [[
          `\`${option}\``,
          `\`${flagName(option)}\``,
          `\`${name}\``,
          String(row.default),
          row.source,
          help,
        ]];
      })
    ),
  ];
}

function sdes(): string[][] {
  return [
    ["kind", "SDE", "fields and their defaults"],
    ...sdeKinds.map((kind) => {
      const { title, fields, byDefault } = sdeInfo(kind);
      const values = byDefault?.().config as unknown as Record<string, number> | undefined;
      const stated = Object.entries(values ?? {}).filter(([name]) => name !== "kind")
        .map(([name, value]) => `\`${name}\` ${value}`);
      const needed = Object.keys(fields).map((name) => `\`${name}\``);
      return [`\`${kind}\``, title, (values === undefined ? needed : stated).join(", ")];
    }),
  ];
}

function names(): string[][] {
  const code = (text: string | undefined) => text === undefined ? "–" : `\`${text}\``;
  return [
    ["web interfaces", "k-diffusion", "diffusers", "here", "differences"],
    ...otherNames.map(({ name, kDiffusion, diffusers, sampler, options = {}, sde, grid, note }) => [
      name,
      code(kDiffusion),
      code(diffusers),
      sampler === null ? "–" : code(
        [sampler, ...flagsOf(options), sde && `--sde ${sde}`, grid && `--grid ${grid}`].filter(Boolean)
          .join(" "),
      ),
      note,
    ]),
  ];
}

function libraries(): string[][] {
  return [
    ["library", "name", "here", "differences"],
    ...libraryNames.map(({ library, name, sampler, options = {}, note }) => [
      library,
      `\`${name}\``,
      sampler === null ? "–" : `\`${[sampler, ...flagsOf(options)].join(" ")}\``,
      note,
    ]),
  ];
}

/** The flags of a sampler's options. */
function flagsOf(options: SamplerOptions): string[] {
  return Object.entries(options).map(([option, value]) => `${flagName(option)} ${value}`);
}

/** A table in Markdown, as `deno fmt` aligns it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

const usage = {
  name: "docs:samplers",
  purpose:
    "Writes the tables of docs/samplers.md and docs/names.md from the registries of samplers and SDEs.",
  flags: {},
};

async function main(): Promise<void> {
  parseFlags(usage, Deno.args);
  for (const page of pages) {
    await atomicWrite(page, new TextEncoder().encode(withTables(await Deno.readTextFile(page))));
  }
}

if (import.meta.main) await runScript(main);
