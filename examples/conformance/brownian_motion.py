"""Brownian motion in sigma, drawn from a run's noise: what the BrownianTreeNoiseSampler of k-diffusion and diffusers
draws from a seed."""
import torch


class BrownianMotion:
    """Increments between two sigmas, each over its standard deviation; asked for from the largest sigma down."""

    def __init__(self, run, x, sigma_max):
        self.run, self.path = run, {float(sigma_max): torch.zeros_like(x)}

    def at(self, sigma):
        sigma, last = float(sigma), min(self.path)
        known = min(self.path, key=lambda other: abs(other - sigma))
        if abs(known - sigma) < 1e-5 * known:  # sigmas come back from logarithms with an error of rounding
            return self.path[known]
        if sigma > last:
            raise ValueError(f"noise is asked for at sigma {sigma} after {last}")
        self.path[sigma] = self.path[last] + (last - sigma) ** 0.5 * self.run.randn_like(self.path[last])
        return self.path[sigma]

    def __call__(self, sigma, sigma_next):
        return (self.at(sigma_next) - self.at(sigma)) / abs(float(sigma_next) - float(sigma)) ** 0.5
