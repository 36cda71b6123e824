"""azula's samplers, offered to the conformance kit.

    PYTHONPATH=azula deno task conform -- python3 azula_samplers.py HeunSampler [OPTION=VALUE ...]

azula's time runs from N to 0 here, and its noise schedule is a table of the run's levels, so that a sampler of equal
steps in time visits the run's grid, whatever that is. Options, as order=3 or eta=1, go to the sampler.
"""
import ast
import sys
import torch
import azula.sample
from azula.denoise import Denoiser, DiracPosterior
from azula.noise import Schedule
from score_sde_conformance import serve

DECLARED = {
    "DDPMSampler": dict(order=1, process="sde"),
    "DDIMSampler": dict(order=1, process="ode"),
    "EulerSampler": dict(order=1, process="ode"),
    "HeunSampler": dict(order=2, process="ode"),
    "ItoSampler": dict(order=1, process="sde"),
    "zABSampler": dict(order=2, process="ode"),
    "vABSampler": dict(order=2, process="ode"),
    "zEABSampler": dict(order=2, process="ode"),
    "xEABSampler": dict(order=2, process="ode"),
    "REABSampler": dict(order=2, process="ode"),
    "PCSampler": dict(),
}


class TableSchedule(Schedule):
    """alpha and sigma at the run's levels; time N - n is level n."""

    def __init__(self, run):
        self.steps, self.alphas, self.sigmas = run.steps, torch.tensor(run.alphas), torch.tensor(run.sigmas)

    def __call__(self, t):
        level = (self.steps - t).round().long()
        return self.alphas[level], self.sigmas[level]


class ExactDenoiser(Denoiser):
    """The run's model."""

    def __init__(self, run):
        super().__init__()
        self.run, self.schedule = run, TableSchedule(run)

    def forward(self, x, t):
        return DiracPosterior(self.run.model(x, "denoised", time=self.run.times[round(self.run.steps - float(t))]))


def adapted(name, **options):
    def sampler(run):
        torch.randn_like = run.randn_like
        time = dict(start=float(run.steps), stop=0.0, steps=run.steps, dtype=torch.float64, silent=True)
        return getattr(azula.sample, name)(ExactDenoiser(run), **time, **options)(torch.tensor(run.start))

    return sampler


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in DECLARED:
        sys.exit(f"usage: python3 azula_samplers.py {'|'.join(DECLARED)} [OPTION=VALUE ...]")
    torch.set_default_dtype(torch.float64)
    options = {key: ast.literal_eval(value) for key, value in (option.split("=", 1) for option in sys.argv[2:])}
    declares = dict(DECLARED[sys.argv[1]])
    if "order" in options:
        declares["order"] = options["order"]
    if options.get("eta") == 1:
        declares["process"] = "sde"
    serve(adapted(sys.argv[1], **options), name=" ".join(["azula", *sys.argv[1:]]), **declares)
