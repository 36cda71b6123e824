"""EDM's two samplers, of its generate.py, offered to the conformance kit.

    PYTHONPATH=edm deno task conform --sde edm --grid karras -- python3 edm_samplers.py edm_sampler [OPTION=VALUE ...]

The sampler chooses its own levels from the run's largest and smallest ratio, N + 1 of them and 0, so that a run of
N steps on a Karras grid has the run's levels. Options, as S_churn=40, go to the sampler.
"""
import ast
import sys
import torch
import generate
from score_sde_conformance import serve


class Network:
    """The run's model with what the samplers ask of a network."""

    def __init__(self, run):
        self.model, self.sigma_min, self.sigma_max = run.model_sigma("denoised"), run.ratios[-1], run.ratios[0]

    def __call__(self, x, sigma, class_labels=None):
        return self.model(x, sigma)

    def round_sigma(self, sigma):
        return torch.as_tensor(sigma, dtype=torch.float64)


def adapted(name, **options):
    def sampler(run):
        network = Network(run)
        latents = torch.tensor(run.start / run.alphas[0] / run.ratios[0])
        levels = dict(num_steps=run.steps + 1, sigma_min=run.ratios[-1], sigma_max=run.ratios[0])
        with torch.no_grad():
            x = getattr(generate, name)(network, latents, randn_like=run.randn_like, **levels, **options)
        return run.end(x, time=0)

    return sampler


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("edm_sampler", "ablation_sampler"):
        sys.exit("usage: python3 edm_samplers.py edm_sampler|ablation_sampler [OPTION=VALUE ...]")
    torch.set_default_dtype(torch.float64)
    options = dict(option.split("=", 1) for option in sys.argv[2:])
    options = {key: value if value.isalpha() else ast.literal_eval(value) for key, value in options.items()}
    euler = options.get("solver") == "euler"
    churns = options.get("S_churn", 0) > 0
    grid = "given" if options.get("discretization", "edm") == "edm" else "own"
    name = " ".join(["EDM", *sys.argv[1:]])
    declares = dict(order=1 if euler else 2, process="ode") if not churns else {}
    serve(adapted(sys.argv[1], **options), name=name, grid=grid, **declares)
