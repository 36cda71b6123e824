"""Writes fixtures/reference/multistep_samplers.json: where other implementations' multistep samplers end.

    PYTHONPATH=diffusers/src:k-diffusion python3 multistep_samplers.py > multistep_samplers.json

diffusers' schedulers and k-diffusion's functions are run in float64 on the exact noise prediction of a mixture of two
Gaussians on the line, from the same starts along the same uneven grid of noise ratios.
"""
import json
import numpy as np
import torch
import diffusers

WEIGHTS, MEANS, STDS = np.array([0.4, 0.6]), np.array([-1.0, 0.8]), np.array([0.3, 0.2])
RATIOS = np.array([5.0, 3.2, 2.4, 1.3, 0.8, 0.55, 0.3, 0.17, 0.05])
STARTS = np.array([-6.0, -2.5, -0.4, 1.5, 7.0])


def noise(y, ratio):
    """E[eps | y] of y = x_0 + ratio eps."""
    y = np.asarray(y)[..., None]
    variances = STDS**2 + ratio**2
    logs = np.log(WEIGHTS) - 0.5 * np.log(variances) - (y - MEANS) ** 2 / (2 * variances)
    shares = np.exp(logs - logs.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    return (shares * ratio * (y - MEANS) / variances).sum(-1)


def scheduler_end(name, **options):
    """The end of a scheduler that goes by a table of sigmas, each the ratio; its states are y/sqrt(1 + ratio^2)."""
    scheduler = getattr(diffusers, name)(num_train_timesteps=1000, **options)
    steps = len(RATIOS) - 1
    scheduler.set_timesteps(steps)
    scheduler.sigmas = torch.tensor(RATIOS)
    scheduler.timesteps = torch.arange(steps)
    scaled = name != "LMSDiscreteScheduler"
    x = torch.tensor(STARTS)[:, None] / np.sqrt(1 + RATIOS[0] ** 2 if scaled else 1)
    for k in range(steps):
        y = x.numpy() * np.sqrt(1 + RATIOS[k] ** 2 if scaled else 1)
        scheduler.is_scale_input_called = True
        x = scheduler.step(torch.tensor(noise(y, RATIOS[k])), scheduler.timesteps[k], x).prev_sample
    return (x.numpy() * np.sqrt(1 + RATIOS[-1] ** 2 if scaled else 1)).ravel().tolist()


def unipc_cases():
    for order in (1, 2, 3):
        for b in ("bh1", "bh2"):
            for prediction in ("noise", "data"):
                options = dict(solver_order=order, solver_type=b, predict_x0=prediction == "data", lower_order_final=False)
                yield dict(
                    sampler="unipc",
                    options=dict(solverOrder=order, bFunction=b, solverPrediction=prediction),
                    peer=f"UniPCMultistepScheduler {options}",
                    end=scheduler_end("UniPCMultistepScheduler", **options),
                )
    options = dict(solver_order=2, solver_type="bh2", predict_x0=True, lower_order_final=True)
    yield dict(
        sampler="unipc",
        options=dict(bFunction="bh2", solverPrediction="data", lastStep="ddim"),
        peer=f"UniPCMultistepScheduler {options}",
        end=scheduler_end("UniPCMultistepScheduler", **options),
    )


if __name__ == "__main__":
    print(json.dumps(dict(
        provenance=f"diffusers {diffusers.__version__} in float64 on an exact mixture, by verify/reference/multistep_samplers.py",
        weights=WEIGHTS.tolist(), means=MEANS.tolist(), stds=STDS.tolist(), ratios=RATIOS.tolist(), starts=STARTS.tolist(),
        cases=list(unipc_cases()),
    ), indent=1))
