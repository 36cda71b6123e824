"""The linear SDEs of src/diffusion/sde.ts, as far as training needs them, in float64.

x_t = alpha x_0 + sigma eps; nu = sigma/alpha is the noise ratio, and g the diffusion coefficient.
"""

import math

import torch


class Sde:
    """An SDE as functions of a float64 tensor of times; `time_at` is the inverse of ln(alpha/sigma)."""

    def __init__(self, times, alpha, sigma, g, time_at):
        self.t_min, self.t_max = times
        self.alpha, self.sigma, self.g, self.time_at = alpha, sigma, g, time_at

    def noise_ratio(self, t):
        return self.sigma(t) / self.alpha(t)

    def half_log_snr(self, t):
        return torch.log(self.alpha(t)) - torch.log(self.sigma(t))


def variance_exploding(config):
    low, rate = config["sigmaMin"], math.log(config["sigmaMax"] / config["sigmaMin"])

    def sigma(t):
        return low * torch.exp(rate * t)

    times = (config.get("tMin", 1e-5), config.get("tMax", 1))
    return Sde(
        times,
        torch.ones_like,
        sigma,
        lambda t: sigma(t) * math.sqrt(2 * rate),
        lambda l: (-l - math.log(low)) / rate,
    )


def linear_beta(config):
    """beta(t), its integral, the inverse of that, and the times."""
    low, slope = config["betaMin"], config["betaMax"] - config["betaMin"]
    return (
        lambda t: low + slope * t,
        lambda t: t * (low + 0.5 * slope * t),
        lambda value: 2 * value / (low + torch.sqrt(low**2 + 2 * slope * value)),
        (config.get("tMin", 1e-3), config.get("tMax", 1)),
    )


def variance_preserving(config):
    beta, integral, time_of, times = linear_beta(config)
    return Sde(
        times,
        lambda t: torch.exp(-0.5 * integral(t)),
        lambda t: torch.sqrt(-torch.expm1(-integral(t))),
        lambda t: torch.sqrt(beta(t)),
        # (alpha/sigma)^2 = 1/(e^B - 1), so B = ln(1 + e^(-2 l)).
        lambda l: time_of((-2 * l).clamp(min=0) + torch.log1p(torch.exp(-2 * l.abs()))),
    )


def sub_variance_preserving(config):
    beta, integral, time_of, times = linear_beta(config)
    return Sde(
        times,
        lambda t: torch.exp(-0.5 * integral(t)),
        lambda t: -torch.expm1(-integral(t)),
        lambda t: torch.sqrt(beta(t) * -torch.expm1(-2 * integral(t))),
        # sigma/alpha = 2 sinh(B/2).
        lambda l: time_of(2 * torch.asinh(torch.exp(-l) / 2)),
    )


def sigma_power(config):
    rate = 2 * math.log(config["sigma"])
    return Sde(
        (config.get("tMin", 1e-3), config.get("tMax", 1)),
        torch.ones_like,
        lambda t: torch.sqrt(torch.expm1(rate * t) / rate),
        lambda t: torch.exp(0.5 * rate * t),
        lambda l: torch.log1p(rate * torch.exp(-2 * l)) / rate,
    )


def flow(config):
    return Sde(
        (config.get("tMin", 1e-3), config.get("tMax", 0.999)),
        lambda t: 1 - t,
        lambda t: t,
        lambda t: torch.sqrt(2 * t / (1 - t)),
        lambda l: 1 / (1 + torch.exp(l)),
    )


def edm(config):
    times = (config.get("tMin", 0.002), config.get("tMax", 80))
    return Sde(times, torch.ones_like, lambda t: t, lambda t: torch.sqrt(2 * t), lambda l: torch.exp(-l))


SDES = {
    "ve": variance_exploding,
    "vp": variance_preserving,
    "subvp": sub_variance_preserving,
    "sigma-power": sigma_power,
    "flow": flow,
    "edm": edm,
}
