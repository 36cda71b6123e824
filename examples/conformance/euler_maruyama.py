"""Euler-Maruyama of the reverse SDE (Song et al. 2021, equation 6), ten lines, offered to the conformance kit."""
import numpy as np
from score_sde_conformance import serve


def euler_maruyama(run):
    x = run.start
    for n in range(run.steps):
        t, f, g = run.times[n], run.drifts[n], run.diffusions[n]
        h = t - run.times[n + 1]
        drift = f * x - g**2 * run.score(x, t)
        x = x - h * drift + g * np.sqrt(h) * run.randn_like(x)
    return x


serve(euler_maruyama, name="Euler-Maruyama", order=1, process="sde", evaluations_per_step=1)
