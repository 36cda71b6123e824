"""Writes fixtures/reference/other_libraries.json: where samplers of k-diffusion and diffusers lead on a mixture of Gaussians, whose
denoiser is exact, with the noise that is listed there; all in float64.

    python3 verify/reference/other_libraries.py PATH-OF-K-DIFFUSION PATH-OF-DIFFUSERS > other_libraries.json
"""

import importlib
import json
import math
import subprocess
import sys
import types
from unittest.mock import MagicMock

import torch

path, diffusers = sys.argv[1:]
sys.path.insert(0, diffusers + "/src")
sa = importlib.import_module("diffusers.schedulers.scheduling_sasolver")
# What k-diffusion's module of samplers imports: of its package's utils these samplers use append_dims alone, of the others nothing.
for name in ("torchdiffeq", "torchsde", "k_diffusion.utils"):
    sys.modules[name] = MagicMock()
sys.modules["k_diffusion.utils"].append_dims = lambda x, ndim: x[(...,) + (None,) * (ndim - x.ndim)]
package = types.ModuleType("k_diffusion")
package.__path__ = [path + "/k_diffusion"]
sys.modules["k_diffusion"] = package
sampling = importlib.import_module("k_diffusion.sampling")

torch.set_default_dtype(torch.float64)


def commit(repository):
    git = ["git", "-C", repository, "rev-parse", "--short=10", "HEAD"]
    return subprocess.run(git, capture_output=True, text=True).stdout.strip()



mixture = {"weights": [0.3, 0.5, 0.2], "means": [-1.2, 0.1, 1.0], "deviations": [0.2, 0.1, 0.3]}
weights, means, deviations = (torch.tensor(mixture[key]) for key in ("weights", "means", "deviations"))


def denoised(x, sigma):
    """E[x_0 | x_0 + sigma z = x]."""
    variances = deviations**2 + sigma[:, None] ** 2
    logits = weights.log() - variances.log() / 2 - (x - means) ** 2 / (2 * variances)
    posterior = means + deviations**2 / variances * (x - means)
    return (logits.softmax(1) * posterior).sum(1, keepdim=True)


def counted(x, sigma):
    """The same, counted."""
    global evaluations
    evaluations += 1
    return denoised(x, sigma)


sigmas = sampling.get_sigmas_karras(9, 0.05, 10)[:-1].double()
generator = torch.Generator().manual_seed(11)
draws = torch.randn((2 * (len(sigmas) - 1), 4, 1), generator=generator)
start = sigmas[0] * torch.randn((4, 1), generator=generator)


class Increments:
    """Increments of a Brownian motion in sigma over their standard deviation, as of BrownianTreeNoiseSampler, from listed draws for
    the intervals between the times asked for. Each interval is asked for from its start, the nearer end first."""

    def __init__(self):
        self.count = 0
        self.start = None

    def __call__(self, sigma, sigma_next):
        sigma, sigma_next = float(sigma), float(sigma_next)
        if self.start is None or abs(self.start - sigma) > 1e-9:
            self.start, self.end, self.value = sigma, sigma, torch.zeros(4, 1)
        self.value = self.value + math.sqrt(self.end - sigma_next) * draws[self.count]
        self.end = sigma_next
        self.count += 1
        return self.value / math.sqrt(sigma - sigma_next)


names_of_noise = {"eta": "eta", "s_noise": "sNoise"}
cases = []
for sampler, function, options in [
    ("sde-dpm++2m", "sample_dpmpp_2m_sde", {"solver_type": "midpoint"}),
    ("sde-dpm++2m", "sample_dpmpp_2m_sde", {"solver_type": "heun", "eta": 0.6, "s_noise": 1.03}),
    ("sde-dpm++2m", "sample_dpmpp_2m_sde", {"solver_type": "heun", "eta": 0.0}),
    ("sde-dpm++3m", "sample_dpmpp_3m_sde", {}),
    ("sde-dpm++3m", "sample_dpmpp_3m_sde", {"eta": 0.6, "s_noise": 1.03}),
    ("sde-dpm++2s", "sample_dpmpp_sde", {}),
    ("sde-dpm++2s", "sample_dpmpp_sde", {"eta": 0.6, "s_noise": 1.03}),
    ("dpm++2s-ancestral", "sample_dpmpp_2s_ancestral", {}),
    ("dpm++2s-ancestral", "sample_dpmpp_2s_ancestral", {"eta": 0.6, "s_noise": 1.03}),
    ("dpm-solver-2-ancestral", "sample_dpm_2_ancestral", {}),
    ("dpm-solver-2-ancestral", "sample_dpm_2_ancestral", {"eta": 0.6, "s_noise": 1.03}),
]:
    states = []
    end = getattr(sampling, function)(
        denoised,
        start,
        sigmas,
        disable=True,
        noise_sampler=Increments(),
        callback=lambda info: states.append(info["x"].flatten().tolist()),
        **options,
    )
    states.append(end.flatten().tolist())
    names = {"solver_type": "solverType"} | names_of_noise
    ours = {names[key]: value for key, value in options.items()}
    cases.append({"sampler": sampler, "function": function, "options": ours, "states": states})

def scheduler_states(scheduler, table, every, taken=lambda k: None):
    """The states x/alpha after each `every` steps of a scheduler along a table of sigmas."""
    steps = len(table) - 1
    scheduler.set_timesteps(steps)
    scheduler.sigmas = table
    scheduler.timesteps = torch.arange(steps)
    alphas = 1 / (1 + table**2).sqrt()
    x = start * alphas[0]
    states = [start.flatten().tolist()]
    for k in range(steps):
        taken(k)
        y = x / alphas[k]
        noise = (y - denoised(y, table[k] * torch.ones(4))) / table[k]
        x = scheduler.step(noise, scheduler.timesteps[k], x).prev_sample
        if (k + 1) % every == 0:
            states.append((x / alphas[k + 1]).flatten().tolist())
    return states


# SA-Solver, with orders of 1: of orders of 2 diffusers changes the coefficients.
for tau in (1.0, 0.6, 0.0):
    scheduler = sa.SASolverScheduler(
        predictor_order=1, corrector_order=1, tau_func=lambda t: torch.tensor(tau), lower_order_final=False
    )

    def listed(k):
        sa.randn_tensor = lambda *_, **__: draws[k]

    ours = {"predictorOrder": 1, "correctorOrder": 1, "tau": tau}
    states = scheduler_states(scheduler, sigmas, 1, listed)
    cases.append({"sampler": "sa-solver", "function": "SASolverScheduler", "options": ours, "states": states})

# Solvers without noise. A singlestep one of order n goes through n steps of its table for one here, the sigmas between at equal
# distances of their logarithms. Of order 3 with midpoint diffusers takes another second stage.
for sampler, name, order, options in [
    ("dpm-solver-2", "Singlestep", 2, {"algorithm_type": "dpmsolver", "solver_type": "midpoint"}),
    ("dpm-solver-2", "Singlestep", 2, {"algorithm_type": "dpmsolver", "solver_type": "heun"}),
    ("dpm-solver-3", "Singlestep", 3, {"algorithm_type": "dpmsolver", "solver_type": "heun"}),
    ("dpm++2s", "Singlestep", 2, {"algorithm_type": "dpmsolver++", "solver_type": "midpoint"}),
    ("dpm++2s", "Singlestep", 2, {"algorithm_type": "dpmsolver++", "solver_type": "heun"}),
    ("dpm++2m", "Multistep", 1, {"algorithm_type": "dpmsolver++", "solver_type": "midpoint"}),
    ("dpm++2m", "Multistep", 1, {"algorithm_type": "dpmsolver++", "solver_type": "heun"}),
]:
    module = importlib.import_module(f"diffusers.schedulers.scheduling_dpmsolver_{name.lower()}")
    scheduler = getattr(module, f"DPMSolver{name}Scheduler")(
        solver_order=max(order, 2), lower_order_final=False, final_sigmas_type="sigma_min", **options
    )
    parts = torch.arange(order) / order
    ratios = sigmas[1:, None] / sigmas[:-1, None]
    table = torch.cat([(sigmas[:-1, None] * ratios**parts).flatten(), sigmas[-1:]])
    cases.append(
        {
            "sampler": sampler,
            "function": f"DPMSolver{name}Scheduler",
            "options": {"solverType": options["solver_type"]},
            "states": scheduler_states(scheduler, table, order),
        }
    )

# k-diffusion's adaptive steps are those of a batch: here each row is a batch of its own. They begin where, and so long that, an error
# is large beside the rounding of float32, from which the next step's length would follow.
adaptive = []
near = start * sigmas[4] / sigmas[0]
for options in (
    {},
    {"order": 2},
    {"rtol": 1e-3, "atol": 1e-3},
    {"eta": 1.0},
    {"eta": 0.6, "s_noise": 1.03, "order": 2, "rtol": 0.1},
):
    ends, steps = [], []
    for i, row in enumerate(near):
        evaluations = 0
        order = options.get("order", 3)

        def listed(*_):
            """The draw of this attempt, of a step that is accepted."""
            return draws[evaluations // order - 1][i]

        end, info = sampling.sample_dpm_adaptive(
            counted, row[None], float(sigmas[-1]), float(sigmas[4]), disable=True, return_info=True, h_init=0.3,
            noise_sampler=listed, **options
        )
        ends.append(float(end))
        steps.append([info["n_accept"], info["n_reject"]])
    names = {"order": "solverOrder", "rtol": "rtol", "atol": "atol"} | names_of_noise
    adaptive.append(
        {"options": {"firstStep": 0.3} | {names[key]: value for key, value in options.items()}, "ends": ends, "steps": steps}
    )

# DPM-Solver-fast by its number of evaluations, from the first sigma to the last.
fast = []
for nfe in (5, 6, 7, 10, 12):
    for options in ({}, {"eta": 1.0}, {"eta": 0.6, "s_noise": 1.03}):
        taken = iter(draws)
        evaluations = 0
        end = sampling.sample_dpm_fast(
            counted, start, float(sigmas[-1]), float(sigmas[0]), nfe, disable=True, noise_sampler=lambda *_: next(taken), **options
        )
        ours = {names_of_noise[key]: value for key, value in options.items()}
        fast.append({"nfe": nfe, "evaluations": evaluations, "options": ours, "ends": end.flatten().tolist()})

# Its weights of the data predictions at nodes, the latest first, for x/alpha: a predictor's first node is the start of the step, a
# corrector's the end.
weights_of_steps = []
lambdas = -sigmas.log()
adams = sa.SASolverScheduler()
for order, tau, corrects in [(2, 1.0, False), (3, 1.0, False), (4, 0.6, False), (2, 0.6, True), (3, 0.0, True), (4, 1.0, True)]:
    begin, end = lambdas[5], lambdas[6]
    last = 6 if corrects else 5
    nodes = [lambdas[last - i] for i in range(order)]
    raw = adams.get_coefficients_fn(order, begin, end, nodes, torch.tensor(tau))
    factor = (1 + tau**2) * torch.exp(-(1 + tau**2) * end)
    weights_of_steps.append(
        {"order": order, "tau": tau, "corrects": corrects, "weights": [float(factor * value) for value in raw]}
    )

print(
    json.dumps(
        {
            "provenance": f"k-diffusion at {commit(path)} and diffusers at {commit(diffusers)} in float64, by "
            "verify/reference/other_libraries.py. A step's draws are the next ones of the list; where it takes two, they are "
            "of the two halves of the step. adams: the weights that SASolverScheduler's get_coefficients_fn gives in the step "
            "from the sixth sigma to the seventh. adaptive: sample_dpm_adaptive from the fifth sigma to the last, from the "
            "start over the first sigma times the fifth, each row alone, with its accepted and rejected steps; the draw of its k-th attempt is the row's in the k-th of the list. "
            "fast: sample_dpm_fast with nfe evaluations, from the first sigma to the last; a step's draw is the next of the list.",
            "mixture": mixture,
            "sigmas": sigmas.tolist(),
            "start": start.flatten().tolist(),
            "draws": draws[:, :, 0].tolist(),
            "cases": cases,
            "adams": weights_of_steps,
            "adaptive": adaptive,
            "fast": fast,
        }
    )
)
