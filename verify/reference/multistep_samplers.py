"""Writes fixtures/reference/multistep_samplers.json: where other implementations' multistep samplers end.

    PYTHONPATH=diffusers/src:k-diffusion:azula python3 multistep_samplers.py > multistep_samplers.json

diffusers' schedulers, k-diffusion's functions and azula's samplers are run in float64 on the exact noise prediction of a mixture of two
Gaussians on the line, from the same starts along the same uneven grid of noise ratios.
"""
import json
import numpy as np
import torch
import azula.denoise
import azula.noise
import azula.sample
import diffusers
from k_diffusion.sampling import sample_lms

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


def linear_cases():
    for order in (1, 2, 3, 4):
        def denoise(y, sigma):
            return y - sigma[:, None] * torch.tensor(noise(y.numpy(), float(sigma[0])))

        end = sample_lms(denoise, torch.tensor(STARTS)[:, None], torch.tensor(RATIOS), order=order, disable=True)
        yield dict(sampler="lms", options=dict(solverOrder=order), peer=f"sample_lms order={order}", end=end.ravel().tolist())
    yield dict(
        sampler="lms", options={}, peer="LMSDiscreteScheduler {}", end=scheduler_end("LMSDiscreteScheduler"),
    )
    for order in (1, 2, 3):
        options = dict(solver_order=order, lower_order_final=False)
        yield dict(
            sampler="deis",
            options=dict(solverOrder=order),
            peer=f"DEISMultistepScheduler {options}",
            end=scheduler_end("DEISMultistepScheduler", **options),
        )
    for name, sampler in (("zABSampler", "lms"), ("zEABSampler", "deis")):
        for order in (2, 3):
            yield dict(
                sampler=sampler, options=dict(solverOrder=order), peer=f"azula {name} order={order}", end=azula_end(name, order)
            )
    yield dict(sampler="ipndm", options={}, peer="IPNDMScheduler", end=ipndm_end())


def pndm_cases():
    for skip, sampler in ((False, "pndm"), (True, "plms")):
        options = dict(skip_prk_steps=skip)
        yield dict(sampler=sampler, options={}, peer=f"PNDMScheduler {options}", end=pndm_end(**options))


def pndm_end(**options):
    """PNDMScheduler's state at its last timestep: every second level of a table that has the half-way ones, too."""
    count = len(RATIOS)
    ratios = np.empty(2 * count - 1)
    ratios[::2] = RATIOS[::-1]
    ratios[1::2] = (ratios[:-2:2] + ratios[2::2]) / 2
    scheduler = diffusers.PNDMScheduler(num_train_timesteps=2 * count, **options)
    scheduler.set_timesteps(count)
    scheduler.alphas_cumprod = torch.tensor(1 / (1 + ratios**2))
    x = torch.tensor(STARTS)[:, None] / np.sqrt(1 + RATIOS[0] ** 2)
    for t in scheduler.timesteps.tolist():
        y = x.numpy() * np.sqrt(1 + ratios[t] ** 2)
        if t == 0:
            return y.ravel().tolist()
        x = scheduler.step(torch.tensor(noise(y, ratios[t])), t, x).prev_sample


def azula_end(name, order):
    steps = len(RATIOS) - 1
    ratios = torch.tensor(RATIOS)

    class Table(azula.noise.Schedule):
        """alpha 1 and sigma the ratio; time N - n is point n."""

        def __call__(self, t):
            sigma = ratios[(steps - t).round().long()]
            return torch.ones_like(sigma), sigma

    class Exact(azula.denoise.Denoiser):
        def __init__(self):
            super().__init__()
            self.schedule = Table()

        def forward(self, x, t):
            ratio = RATIOS[round(steps - float(t))]
            return azula.denoise.DiracPosterior(x - ratio * torch.tensor(noise(x.numpy(), ratio)))

    time = dict(start=float(steps), stop=0.0, steps=steps, dtype=torch.float64, silent=True)
    return getattr(azula.sample, name)(Exact(), order=order, **time)(torch.tensor(STARTS)[:, None]).ravel().tolist()


def ipndm_end():
    """IPNDMScheduler on the grid's own table; it takes the velocity (eps - sigma x)/alpha."""
    scheduler = diffusers.IPNDMScheduler()
    scheduler.set_timesteps(len(RATIOS) - 1)
    scheduler.alphas = torch.tensor(1 / np.sqrt(1 + RATIOS**2))
    scheduler.betas = torch.tensor(RATIOS) * scheduler.alphas
    x = torch.tensor(STARTS)[:, None] * scheduler.alphas[0]
    for k, t in enumerate(scheduler.timesteps):
        eps = torch.tensor(noise((x / scheduler.alphas[k]).numpy(), RATIOS[k]))
        x = scheduler.step((eps - scheduler.betas[k] * x) / scheduler.alphas[k], t, x).prev_sample
    return (x / scheduler.alphas[-1]).ravel().tolist()


if __name__ == "__main__":
    print(json.dumps(dict(
        provenance=f"diffusers {diffusers.__version__}, k-diffusion and azula in float64 on an exact mixture, by verify/reference/multistep_samplers.py",
        weights=WEIGHTS.tolist(), means=MEANS.tolist(), stds=STDS.tolist(), ratios=RATIOS.tolist(), starts=STARTS.tolist(),
        cases=[*unipc_cases(), *linear_cases(), *pndm_cases()],
    ), indent=1))
