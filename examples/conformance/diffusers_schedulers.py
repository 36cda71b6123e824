"""diffusers' schedulers, offered to the conformance kit.

    PYTHONPATH=diffusers/src deno task conform -- python3 diffusers_schedulers.py EulerDiscrete [OPTION=VALUE ...]

A scheduler visits steps of a table of betas. By default the table has the levels of the run's grid and no others, so
that the scheduler visits these; with table=1000, as in use, it has a thousand steps of the run's SDE, of which the
scheduler chooses its own for the run's number of steps. Other options go to the scheduler, and eta to its step.
The model is asked at the level that the table has at the scheduler's timestep, between two steps by ln sigma. The
SDE has to preserve variance, as in `--sde vp`. Schedulers keep their tables in float32.
"""
import ast
import sys
from inspect import signature
import diffusers
import numpy as np
import torch
from brownian_motion import BrownianMotion
from score_sde_conformance import serve

# What each is said to be, and whether its grid of N steps leaves out the table's first step, where it ends.
ODE1, ODE2, SDE = dict(order=1, process="ode"), dict(order=2, process="ode"), dict(process="sde")
DECLARED = {
    "DDPM": (SDE, False),
    "DDIM": (ODE1, False),
    "EulerDiscrete": (ODE1, False),
    "EulerAncestralDiscrete": (SDE, False),
    "HeunDiscrete": (ODE2, False),
    "DPMSolverMultistep": (ODE2, True),
    "DPMSolverSinglestep": (ODE2, True),
    "DPMSolverSDE": (SDE, False),
    "UniPCMultistep": (ODE2, True),
    "DEISMultistep": (ODE2, True),
    "LMSDiscrete": (dict(order=4, process="ode"), False),
    "PNDM": (dict(order=2, process="ode"), False),
    "KDPM2Discrete": (ODE2, False),
    "KDPM2AncestralDiscrete": (SDE, False),
}


def adapted(name, table=None, eta=None, **options):
    def sampler(run):
        squares = run.alphas[::-1] ** 2 if table is None else table_of(run.sde, table)
        betas = 1 - squares / np.concatenate([[1], squares[:-1]])
        torch.randn = lambda *shape, dtype=None, **_: torch.tensor(run.randn(*shape), dtype=dtype)
        kind = getattr(diffusers, name + "Scheduler")
        spacing = {"timestep_spacing": "linspace"} if "timestep_spacing" in signature(kind).parameters else {}
        scheduler = kind(num_train_timesteps=len(betas), trained_betas=betas, **{**spacing, **options})
        scheduler.set_timesteps(run.steps + (0 if table or DECLARED[name][1] else 1))
        if name == "DPMSolverSDE":
            scheduler.noise_sampler = BrownianMotion(run, torch.zeros(run.shape), max(scheduler.sigmas))
        ratios = np.sqrt(1 / squares - 1)
        x = torch.tensor(run.randn(), dtype=torch.float32) * scheduler.init_noise_sigma
        for t in scheduler.timesteps:
            ratio = np.exp(np.interp(float(t), np.arange(len(ratios)), np.log(ratios)))
            alpha = 1 / np.sqrt(1 + ratio**2)
            noise = run.model(scheduler.scale_model_input(x, t), "noise", sigma=ratio * alpha, alpha=alpha)
            x = scheduler.step(noise, t, x, **({} if eta is None else {"eta": eta})).prev_sample
        return run.end(x, **end_of(scheduler))

    return sampler


def table_of(sde, steps):
    """The products of 1 - beta of a table that follows the SDE from its first step to its last."""
    t = np.arange(1, steps + 1) / steps
    return np.exp(-0.5 * t**2 * (sde["betaMax"] - sde["betaMin"]) - t * sde["betaMin"])


def end_of(scheduler):
    """The level at which a scheduler ends: that of its last sigma, or of the product of no betas; both mostly data."""
    if hasattr(scheduler, "sigmas"):
        ratio = float(scheduler.sigmas[-1])
        vanishing = type(scheduler).__name__[:3] in ("DPM", "Uni", "DEI") and "SDES" not in type(scheduler).__name__
        alpha = 1 / np.sqrt(1 + ratio**2) if vanishing else 1
        return dict(sigma=ratio * alpha, alpha=alpha)
    square = float(getattr(scheduler, "final_alpha_cumprod", 1))
    return dict(sigma=np.sqrt(1 - square), alpha=np.sqrt(square))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in DECLARED:
        sys.exit(f"usage: python3 diffusers_schedulers.py {'|'.join(DECLARED)} [OPTION=VALUE ...]")
    pairs = dict(option.split("=", 1) for option in sys.argv[2:])
    options = {key: ast.literal_eval(value) if value[0] in "0123456789TFN" else value for key, value in pairs.items()}
    declares = dict(DECLARED[sys.argv[1]][0])
    if "solver_order" in options:
        declares["order"] = options["solver_order"]
    if options.get("algorithm_type", "").startswith("sde") or options.get("eta"):
        declares = SDE
    serve(adapted(sys.argv[1], **options), name=" ".join(["diffusers", *sys.argv[1:]]), start="own",
          grid="own" if "table" in options else "given", precision="float32", **declares)
