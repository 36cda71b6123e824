/**
 * What `deno task bench` times: a request of plain data, and the table of times that comes of it.
 * @module
 */
import type { Engine, EngineName } from "../../src/compute/engine.ts";
import { parameterCount } from "../../src/networks/network.ts";
import type { Network } from "../../src/networks/network.ts";
import type { ModelConfig } from "../../src/networks/noise_prediction.ts";
import { NETWORK_PRESETS, type NetworkConfig, networkFromConfig } from "../../src/networks/registry.ts";
import type { Action, Contender, Ours, Rival } from "./contender.ts";
import type { Share, Size } from "./table.ts";

/** A size of growth. */
type GrowthSize = Pick<Size, "batch" | "side">;

/** What is timed, as plain data. */
export interface BenchRequest {
  /** The network. */
  readonly network: "digits" | "tutorial";
  /** Images in a batch, from 1 on. */
  readonly batch: number;
  /** Pixels of an image's side: for digits a multiple of 4, for the tutorial's network 28. */
  readonly side: number;
  /** This project's engines. */
  readonly engines: readonly EngineName[];
  /** What is timed beside them. */
  readonly against: readonly Rival[];
  /** Measurements of a forward pass and of a training step, from 1 on. */
  readonly rounds: number;
  /** The drawing of digits; null where it is not timed. */
  readonly digits: {
    /** A file, the name of a network that comes with the project, or null for the one that draws unasked. */
    readonly checkpoint: string | null;
    /** Measurements, from 1 on. */
    readonly rounds: number;
    /** Euler–Maruyama steps of PyTorch, from 1 on. */
    readonly twinSteps: number;
  } | null;
  /** Whether time is told by operation. */
  readonly profile: boolean;
  /** Sizes that are each measured in a process of its own. */
  readonly growth: readonly GrowthSize[];
}

/** What times. */
export interface BenchParts {
  /** Opens this project on an engine; `checkpoint` is what digits are drawn with. */
  openOurs(
    engine: EngineName,
    model: ModelConfig,
    batch: number,
    checkpoint: string | undefined,
  ): Promise<Ours>;
  /** Opens PyTorch with the same network; for digits it takes so many steps. */
  openTwin(rival: Rival, network: NetworkConfig, batch: number, steps: number): Promise<Contender>;
  /** Milliseconds by operation. */
  profile(engine: Engine["name"], model: ModelConfig, batch: number): Promise<Profile>;
  /** One size in a process of its own. */
  measureSize(
    engine: Engine["name"],
    network: BenchRequest["network"],
    size: GrowthSize,
    rounds: number,
  ): Promise<Size>;
  /** Does something under a bar of so many units. */
  withProgress<T>(
    bar: { readonly label: string; readonly total: number; readonly unit: string },
    action: (update: (done: number) => void) => Promise<T>,
  ): Promise<T>;
  /** Called with what is measured so far, after each part of it. */
  onResult?(result: BenchResult): void;
}

/** Where the time of both actions goes. */
type Profile = Readonly<Record<"forward" | "step", readonly Share[]>>;

/** What a contender measured. */
interface ContenderTimes {
  readonly name: string;
  /** One line about device and versions. */
  readonly about: string;
  /** The engine, of this project's; null for PyTorch. */
  readonly engine: Engine["name"] | null;
  /** The most memory in bytes that its process held; null until it is asked. */
  readonly memory: number | null;
  /** Milliseconds, round by round, of what was timed. */
  readonly milliseconds: Partial<Readonly<Record<Action, readonly number[]>>>;
}

/** All measurements. */
export interface BenchResult {
  /** Parameters of the network. */
  readonly parameters: number;
  /** This project on its engines, in the order of the request, then its rivals. */
  readonly contenders: readonly ContenderTimes[];
  /** Times by operation of each engine. */
  readonly profiles: readonly (Profile & { readonly engine: Engine["name"] })[];
  /** Each engine at each size. */
  readonly growth: readonly Size[];
}

/** The model whose passes are timed, not trained. */
function benchedModel({ network: name, side }: Pick<BenchRequest, "network" | "side">): ModelConfig {
  const preset = NETWORK_PRESETS[name];
  if (preset.kind === "tutorial") return { network: preset, preconditioning: null };
  return {
    network: { ...preset, height: side, width: side },
    preconditioning: { sigmaData: 0.5, centre: 0 },
  };
}

/** Times all that a request asks for. */
export async function runBench(request: BenchRequest, parts: BenchParts): Promise<BenchResult> {
  const { batch, engines, against, rounds, digits, profile, growth, network } = request;
  const model = benchedModel(request);
  const ours: Ours[] = [];
  const contenders: Contender[] = [];
  const names = () => ours.map(({ name }) => name);
  let result: BenchResult = {
    parameters: parameterCount(networkFromConfig(model.network) as Network),
    ...{ contenders: [], profiles: [], growth: [] },
  };
  const add = (more: Partial<BenchResult>) => {
    result = { ...result, ...more };
    parts.onResult?.(result);
  };
  const addTimes = (times: readonly ContenderTimes["milliseconds"][]) =>
    add({
      contenders: result.contenders.map((each, i) => ({
        ...each,
        milliseconds: { ...each.milliseconds, ...times[i] },
      })),
    });
  try {
    for (const engine of engines) {
      const opened = await parts.openOurs(engine, model, batch, digits?.checkpoint ?? undefined);
      ours.push(opened);
      contenders.push(opened);
    }
    for (const rival of against) {
      contenders.push(await parts.openTwin(rival, model.network, batch, digits?.twinSteps ?? 1));
    }
    add({
      contenders: contenders.map(({ name, about }, i) => ({
        ...{ name, about, engine: ours[i]?.name ?? null, memory: null, milliseconds: {} },
      })),
    });
    addTimes(await measure(contenders, ["forward", "step"], rounds, parts));
    if (digits !== null) addTimes(await measure(contenders, ["digits"], digits.rounds, parts));
    const memory = await Promise.all(contenders.map((contender) => contender.memory()));
    add({ contenders: result.contenders.map((each, i) => ({ ...each, memory: memory[i] })) });
    for (const engine of profile ? names() : []) {
      const shares = await parts.profile(engine, model, batch);
      add({ profiles: [...result.profiles, { engine, ...shares }] });
    }
    const sizes = names().flatMap((engine) => growth.map((size) => ({ engine, size })));
    if (sizes.length > 0) {
      await parts.withProgress({ label: "growth", total: sizes.length, unit: "sizes" }, async (update) => {
        for (const { engine, size } of sizes) {
          const measured = await parts.measureSize(engine, network, size, Math.min(2, rounds));
          add({ growth: [...result.growth, measured] });
          update(result.growth.length);
        }
      });
    }
    return result;
  } finally {
    for (const contender of contenders) await contender.close();
  }
}

/** Runs actions of all contenders in turn; the first round warms everything up and does not count. */
function measure<A extends Action>(
  contenders: readonly Contender[],
  actions: readonly A[],
  rounds: number,
  { withProgress }: BenchParts,
): Promise<Record<A, number[]>[]> {
  const times = contenders.map(() =>
    Object.fromEntries(actions.map((action) => [action, []])) as unknown as Record<A, number[]>
  );
  return withProgress({ label: "timing", total: rounds + 1, unit: "rounds" }, async (update) => {
    for (let round = 0; round <= rounds; round++) {
      for (const action of actions) {
        for (const [i, contender] of contenders.entries()) {
          const milliseconds = await contender.time(action);
          if (round > 0) times[i][action].push(milliseconds);
        }
      }
      update(round + 1);
    }
    return times;
  });
}
