"""Noise levels, their weights and losses, as src/objectives has them: levels in float64, losses in float32."""

import math

import torch

from .sde import SDES


def draw_levels(objective, rng, rows, first=0):
    """Noise ratios and weights, [rows] each in float64, of the batch's rows from `first` on."""
    kind = objective["kind"]
    if kind == "edm":
        z = rng.normal([rows], first).double()
        ratio = torch.exp(objective["mean"] + objective["std"] * z)
        return ratio, 1 + (ratio / objective["sigmaData"]) ** 2
    if kind == "levels":
        ratios = torch.tensor(objective["ratios"], dtype=torch.float64)
        ratio = ratios[(rng.uniform([rows], first) * len(ratios)).floor().long()]
        return ratio, torch.ones_like(ratio)
    sde = SDES[objective["sde"]["kind"]](objective["sde"])
    times = draw_times(objective, sde, rng, rows, first)
    weight = sde_weight(sde, times, objective["weighting"])
    if objective.get("times") == "importance":
        weight = weight / importance_density(sde, times)
    return sde.noise_ratio(times), weight


def draw_times(objective, sde, rng, rows, first):
    kind = objective.get("times", "uniform")
    if kind == "importance":
        # Times whose ln(alpha/sigma) is uniform (Song et al. 2021, "Maximum likelihood training", section 4.3).
        start, end = ends(sde)
        times = sde.time_at(start + (end - start) * rng.uniform([rows], first))
        return times.clamp(sde.t_min, sde.t_max)
    if kind == "uniform":
        share = rng.uniform([rows], first)
    else:
        logit = objective.get("logit", {"mean": 0, "std": 1})
        share = 1 / (1 + torch.exp(-logit["mean"] - logit["std"] * rng.normal([rows], first).double()))
    return sde.t_min + (sde.t_max - sde.t_min) * share


def sde_weight(sde, t, weighting):
    """The weight of the noise's squared error: 1, g^2/sigma^2, or (g^2/(2 sigma))^2 for the velocity."""
    if weighting == "variance":
        return torch.ones_like(t)
    g2 = sde.g(t) ** 2
    return g2 / sde.sigma(t) ** 2 if weighting == "likelihood" else (g2 / (2 * sde.sigma(t))) ** 2


def importance_density(sde, t):
    start, end = ends(sde)
    return (sde.g(t) / sde.sigma(t)) ** 2 / 2 * (sde.t_max - sde.t_min) / (start - end)


def ends(sde):
    return sde.half_log_snr(torch.tensor([sde.t_min, sde.t_max], dtype=torch.float64))


def denoising_losses(predicted, noise, weight):
    """[B]: the weight times the mean over coordinates of (predicted - noise)^2."""
    return (predicted - noise).square().flatten(1).mean(1) * weight


def consistency_levels(objective, rng, rows, done, first=0):
    """The noise ratios t and r < t of pairs and their weights 1/(t - r), after a share `done` of the steps."""
    smallest, largest = objective["range"]
    high, gap = objective["highFrom"], consistency_gap(objective["gap"], done)
    z = rng.fork("normal").normal([rows], first).double()
    middle = torch.exp(objective["mean"] + objective["std"] * z).clamp(smallest, largest)
    upper = high * (largest / high) ** rng.fork("uniform").uniform([rows], first)
    far = torch.where(rng.fork("kind").uniform([rows], first) < objective["highShare"], upper, middle)
    return far, far * math.exp(-gap), -1 / (far * math.expm1(-gap))


def consistency_gap(gap, done):
    """ln(t/r) after a share of the steps, from 0 to 1."""
    return gap["first"] * (gap["last"] / gap["first"]) ** min(1, done / gap["settled"])


def consistency_losses(predicted, target, weight, huber):
    """[B]: w (sqrt(|d|^2 + c^2) - c) with d = predicted - target (Song & Dhariwal 2023, eq. 8)."""
    squares = (predicted - target).square().flatten(1).sum(1)
    # Without the difference, which loses all digits where the squares are far below c^2.
    return weight * squares / ((squares + huber**2).sqrt() + huber)
