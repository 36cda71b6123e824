"""Samplers in numpy, one published algorithm each, offered to the conformance kit.

    deno task conform -- python3 numpy_samplers.py euler_maruyama

The kit's own tests plant mistakes in this file and see that each is found.
"""
import sys
import numpy as np
from score_sde_conformance import serve


def euler_maruyama(run):
    """Euler-Maruyama of the reverse SDE (Song et al. 2021, equation 6)."""
    x = run.start
    for n in range(run.steps):
        h = run.times[n] - run.times[n + 1]
        f, g = run.drifts[n], run.diffusions[n]
        score = run.score(x, run.times[n])
        z = run.randn_like(x)
        x = x - (f * x - g**2 * score) * h + g * np.sqrt(h) * z
    return x


def own_noise(run):
    """The same with the prior and the noise of a generator of its own."""
    generator = np.random.default_rng(run.seed)
    x = run.sigmas[0] * generator.standard_normal(run.shape)
    for n in range(run.steps):
        h = run.times[n] - run.times[n + 1]
        f, g = run.drifts[n], run.diffusions[n]
        z = generator.standard_normal(x.shape)
        x = x - (f * x - g**2 * run.score(x, run.times[n])) * h + g * np.sqrt(h) * z
    return x


def own_start(run):
    """Euler's method for the probability flow (Song et al. 2021, equation 13), from a start of its own."""
    x = run.sigmas[0] * run.randn()
    for n in range(run.steps):
        h = run.times[n] - run.times[n + 1]
        f, g = run.drifts[n], run.diffusions[n]
        x = x - (f * x - 0.5 * g**2 * run.score(x, run.times[n])) * h
    return x


def ddim(run):
    """DDIM (Song, Meng & Ermon 2021, equation 12 with eta = 0)."""
    x = run.start
    for n in range(run.steps):
        alpha, sigma, next_alpha, next_sigma = (*level(run, n), *level(run, n + 1))
        noise = run.noise_prediction(x, run.times[n])
        x0 = (x - sigma * noise) / alpha
        x = next_alpha * x0 + next_sigma * noise
    return x


def ancestral(run):
    """DDPM's ancestral sampling with the smaller variance (equation 12 with eta = 1), to the last denoised state."""
    x = run.start
    eta = 1
    for n in range(run.steps):
        alpha, sigma, next_alpha, next_sigma = (*level(run, n), *level(run, n + 1))
        noise = run.noise_prediction(x, run.times[n])
        x0 = (x - sigma * noise) / alpha
        fresh = eta * next_sigma * np.sqrt(1 - (run.ratios[n + 1] / run.ratios[n]) ** 2)
        x = next_alpha * x0 + np.sqrt(next_sigma**2 - fresh**2) * noise + fresh * run.randn_like(x)
    alpha, sigma = level(run, run.steps)
    x0 = (x - sigma * run.noise_prediction(x, run.times[-1])) / alpha
    return run.end(x0, time=0)


def heun(run):
    """Heun's method of Karras et al. 2022 (algorithm 1) for y = x / alpha."""
    y = run.start / run.alphas[0]
    for sigma, next_sigma in zip(run.ratios[:-1], run.ratios[1:]):
        slope = (y - run.denoised(y, sigma)) / sigma
        there = y + (next_sigma - sigma) * slope
        next_slope = (there - run.denoised(there, next_sigma)) / next_sigma
        y = y + (next_sigma - sigma) * (slope + next_slope) / 2
    return y * run.alphas[-1]


def dpm_solver_2m(run):
    """DPM-Solver++(2M) (Lu et al. 2022b, algorithm 2), whose first step is of first order."""
    x = run.start
    lambdas = -np.log(run.ratios)
    before = None
    for n in range(run.steps):
        h = lambdas[n + 1] - lambdas[n]
        x0 = run.model(x, "denoised", time=run.times[n])
        if before is None:
            extrapolated = x0
        else:
            r = (lambdas[n] - lambdas[n - 1]) / h
            extrapolated = (1 + 1 / (2 * r)) * x0 - 1 / (2 * r) * before
        before = x0
        x = run.sigmas[n + 1] / run.sigmas[n] * x - run.alphas[n + 1] * np.expm1(-h) * extrapolated
    return x


def predictor_corrector(run):
    """Euler-Maruyama, then a Langevin step of fixed size at the new level (Song et al. 2021, algorithm 1)."""
    x = run.start
    for n in range(run.steps):
        h = run.times[n] - run.times[n + 1]
        f, g = run.drifts[n], run.diffusions[n]
        z = run.randn_like(x)
        x = x - (f * x - g**2 * run.score(x, run.times[n])) * h + g * np.sqrt(h) * z
        score = run.score(x, run.times[n + 1])
        size = 2 * (0.1 * run.sigmas[n + 1]) ** 2
        x = x + size * score + np.sqrt(2 * size) * run.randn_like(x)
    return x


def level(run, n):
    """alpha and sigma of the grid's level n."""
    return run.alphas[n], run.sigmas[n]


SAMPLERS = {
    "euler_maruyama": (euler_maruyama, dict(order=1, process="sde", evaluations_per_step=1)),
    "own_noise": (own_noise, dict(noise="own", start="own", process="sde", evaluations_per_step=1)),
    "own_start": (own_start, dict(start="own", order=1, process="ode", evaluations_per_step=1)),
    "ddim": (ddim, dict(order=1, process="ode", evaluations_per_step=1)),
    "ancestral": (ancestral, dict(order=1, process="sde")),
    "heun": (heun, dict(order=2, process="ode", evaluations_per_step=2)),
    "dpm_solver_2m": (dpm_solver_2m, dict(order=2, process="ode", evaluations_per_step=1)),
    "predictor_corrector": (predictor_corrector, dict(process="sde", evaluations_per_step=2)),
}

if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] not in SAMPLERS or len(sys.argv) != 2:
        sys.exit(f"usage: python3 numpy_samplers.py {'|'.join(SAMPLERS)}")
    sampler, declares = SAMPLERS[sys.argv[1]]
    serve(sampler, name=sys.argv[1], **declares)
