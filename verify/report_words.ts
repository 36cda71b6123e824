/** What the report calls things. @module */

/** What a room's claims are about, by the first word of its name, in the page's order. */
export const subjects: Record<string, string> = {
  table: "A published table of exact errors",
  law: "Laws of samplers: orders, paths and draws",
  sampler: "Samplers: constants, contracts and errors",
  sde: "SDEs: kernels and schedules",
  time: "Time grids",
  denoiser: "The denoiser and its views",
  distribution: "Exact worlds",
  likelihood: "Likelihood",
  conditioning: "Conditioning",
  objective: "Objectives and loss floors",
  toy: "Experiments in the plane",
  ddpm: "Chains in discrete time and their bound",
  ncsn: "Noise plans from data",
  network: "Networks",
  training: "Training and resuming",
  checkpoint: "Checkpoints",
  pretrained: "The shipped checkpoint",
  metric: "Metrics",
  data: "Data sets and readers",
  reader: "Damaged and hostile files",
  download: "Downloads",
  picture: "Pictures and files",
  rng: "Random numbers",
  statistics: "The suite's own statistics",
  suite: "The suite on other machines",
  oldest: "The oldest Deno",
  permission: "Permissions and lock files",
  layout: "Folders and imports",
  repository: "The project's folder",
  engine: "Engines",
  compute: "Operations and gradients",
  wasm: "Operations on wasm",
  trace: "Tracing into native graphs",
  export: "Exported models and functions",
  option: "Options and their defaults",
  script: "Command-line tasks",
  example: "The documentation's examples",
  remote: "Import by URL",
  twin: "The PyTorch twin",
};

/** What a room's tables and pictures show, where its subject alone does not say. */
export const captions: Record<
  string,
  { plots?: string; tables?: string; about?: string; aboutTables?: string }
> = {
  law_mixture: {
    plots: "Error against steps, on data of three modes",
    about:
      "The largest distance between the sampler's own law, carried exactly through its steps, and the data's. The " +
      "dashed line has the slope of the order claimed; the numbers are the orders read off the last two points.",
  },
  law_sample: {
    plots: "What samplers draw with few steps",
    about:
      "A histogram of 200,000 draws (50,000 where the sampler adds no noise), the sampler's own exact law, which the draws must follow, and the data's law, which " +
      "so few steps do not reach.",
  },
  sampler_law: {
    plots: "Error against steps, on Gaussian data",
    tables: "Leading constants",
    about: "Difference of the output's exact variance V from the data's C.",
    aboutTables:
      "On Gaussian data a sampler's output variance V is known exactly, without drawing. Its error V − C at each N goes as K/Nᵖ: " +
      "the orders are read off successive N, “limit” is Nᵖ (V − C) extrapolated to N = ∞, and “theory” is K, the " +
      "first term of the sampler's error, computed from its equations by quadrature.",
  },
  table: {
    tables: "A published table of exact errors, reproduced",
    aboutTables:
      "Pierret & Galerne (2025) give the exact W₂ errors of samplers on the Gaussian that has CIFAR-10's mean and " +
      "covariance. Each cell has their figure and, after the dot, what this project's samplers make of the same 3,072 " +
      "eigenvalues; ε is the time at which the run ends.",
  },
  law_adaptive: {
    plots: "Error against tolerance, for samplers that choose their steps",
    about:
      "ode-dopri5 moves particles from the quantiles of p_T; where they end, the data's law should give the ranks that they " +
      "started with. adaptive-sde is seen through draws: below the dashed line differences are chance.",
  },
  law_path: {
    plots: "Error against steps, for samplers that remember noise",
    about:
      "The largest error of a correlation between two times of a path, on Gaussian data, by the impulse response.",
  },
  network_denoiser: {
    tables: "A learned score against the exact one",
    aboutTables:
      "Loss is E‖ε̂ − ε‖² a coordinate at noise ratio ν, floor the same for the exact score: no network gets below it. The last " +
      "columns are the root mean square errors of the predicted noise and of the score field.",
  },
};
