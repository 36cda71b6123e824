"""Brownian motion in sigma, drawn from a run's noise: what the BrownianTreeNoiseSampler of k-diffusion and diffusers
draws from a seed."""
import torch


class BrownianMotion:
    """Increments between two sigmas, each over its standard deviation; asked for from the largest sigma down."""

    def __init__(self, run, x, sigma_max):
        self.run, self.path = run, {self.key(sigma_max): torch.zeros_like(x)}

    @staticmethod
    def key(sigma):
        return float(f"{float(sigma):.9e}")  # as sigmas come back from logarithms

    def at(self, sigma):
        if sigma not in self.path:
            last = min(self.path)
            if sigma > last:
                raise ValueError(f"noise is asked for at sigma {sigma} after {last}")
            self.path[sigma] = self.path[last] + (last - sigma) ** 0.5 * self.run.randn_like(self.path[last])
        return self.path[sigma]

    def __call__(self, sigma, sigma_next):
        sigma, sigma_next = self.key(sigma), self.key(sigma_next)
        return (self.at(sigma_next) - self.at(sigma)) / abs(sigma_next - sigma) ** 0.5
