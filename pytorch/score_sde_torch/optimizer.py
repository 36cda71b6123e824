"""Adam with warm-up, decay, clipping and a moving average of the weights, as src/training/optimizer.ts has them."""

import math

import torch


def learning_rate(config, step, steps):
    """The rate of step 1, 2, ... `steps`."""
    rate, warmup = config["rate"], config["warmup"]
    if step < warmup:
        return rate * step / warmup
    if config["decay"] == "constant" or steps <= warmup:
        return rate
    return rate * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


def ema_decay(config, step):
    """min(ema, (1 + step)/(10 + step)), so that early weights are forgotten."""
    return min(config["ema"], (1 + step) / (10 + step))


class Optimizer:
    """torch.optim.Adam and the moving average of some parameters."""

    def __init__(self, config, parameters):
        self.config, self.parameters = config, parameters
        self.ema = [p.detach().clone() for p in parameters]
        self.adam = torch.optim.Adam(
            parameters,
            lr=config["rate"],
            betas=tuple(config["betas"]),
            eps=config["epsilon"],
            fused=parameters[0].is_cuda,
        )

    def restore(self, step, ema, mean, variance):
        """Takes the state after a step, lists of tensors of the parameters' shapes."""
        for parameter, average, value, first, second in zip(self.parameters, self.ema, ema, mean, variance):
            average.copy_(value)
            self.adam.state[parameter] = {
                "step": torch.tensor(float(step), device=parameter.device if parameter.is_cuda else "cpu"),
                "exp_avg": first.to(parameter.device).clone(memory_format=torch.preserve_format),
                "exp_avg_sq": second.to(parameter.device).clone(memory_format=torch.preserve_format),
            }

    def moments(self):
        """The first and second moments, lists of tensors; zeros before the first step."""
        states = [self.adam.state.get(p, {}) for p in self.parameters]
        return tuple(
            [state.get(name, torch.zeros_like(p)) for state, p in zip(states, self.parameters)]
            for name in ("exp_avg", "exp_avg_sq")
        )

    @torch.no_grad()
    def norm(self):
        """The Euclidean norm of the whole gradient, a tensor."""
        return torch.linalg.vector_norm(torch.stack(torch._foreach_norm([p.grad for p in self.parameters])))

    @torch.no_grad()
    def update(self, step, steps, norm):
        """Step 1, 2, ... with the parameters' gradients, whose norm is given."""
        torch._foreach_mul_([p.grad for p in self.parameters], (self.config["clip"] / (norm + 1e-12)).clamp(max=1))
        self.adam.param_groups[0]["lr"] = learning_rate(self.config, step, steps)
        self.adam.step()
        torch._foreach_lerp_(self.ema, self.parameters, 1 - ema_decay(self.config, step))
