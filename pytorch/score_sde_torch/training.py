"""One training step, on one process or on many: the same numbers as src/training/train.ts, to rounding.

All random numbers of a step come from the seed, the step and the row of the batch, so that it does not matter which
process has which rows, nor how many there are.
"""

import contextlib
import copy

import torch
from torch.nn.parallel import DistributedDataParallel

from .data import Shuffle
from .networks import NoisePredictor, build, initialise, ordered_parameters
from .objectives import consistency_levels, consistency_losses, denoising_losses, draw_levels
from .optimizer import Optimizer
from .processes import part
from .rng import create_rng

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}

# Steps after which the factor on fp16's losses is tried twice as large.
GROWTH = 2000


class Training:
    """The network, the optimizer and the batches of a run. `step(done)` takes step done + 1."""

    def __init__(self, config, dataset, processes, precision="fp32", accumulate=1):
        parts = processes.count * accumulate
        if config["batch"] < parts:
            raise ValueError(
                f"a batch of {config['batch']} rows cannot be divided among {processes.count} processes in "
                f"{accumulate} parts each"
            )
        self.config, self.dataset, self.processes = config, dataset, processes
        self.type, self.accumulate = TYPES.get(precision), accumulate
        self.scale, self.since = (2.0**16 if precision == "fp16" else 1.0), 0
        self.network = initialise(build(config["model"]["network"]), config["seed"]).to(processes.device)
        self.predictor = NoisePredictor(config["model"], self.network)
        self.names = [f"network.{name}" for name, _ in ordered_parameters(self.network)]
        self.optimizer = Optimizer(config["optimizer"], [p for _, p in ordered_parameters(self.network)])
        self.order = Shuffle(len(dataset), config["seed"])
        self.teacher = None
        self.distributed = self.predictor
        if processes.count > 1:
            ids = [processes.device.index] if processes.device.type == "cuda" else None
            self.distributed = DistributedDataParallel(self.predictor, device_ids=ids)

    @torch.no_grad()
    def restore(self, step, state):
        """Takes the state of a checkpoint."""
        for parameter, value in zip(self.optimizer.parameters, state["weights"]):
            parameter.copy_(value)
        self.optimizer.restore(step, state["ema"], state["mean"], state["variance"])
        if "teacher" in state:
            self.teacher = copy.deepcopy(self.predictor).requires_grad_(False)
            for (_, parameter), value in zip(ordered_parameters(self.teacher.network), state["teacher"]):
                parameter.copy_(value)

    def state(self):
        """The state for a checkpoint, lists of tensors by name."""
        mean, variance = self.optimizer.moments()
        state = {"ema": self.optimizer.ema, "weights": self.optimizer.parameters, "mean": mean, "variance": variance}
        if self.teacher is not None:
            state["teacher"] = [parameter for _, parameter in ordered_parameters(self.teacher.network)]
        return state

    def step(self, done):
        """Takes step done + 1; the share of its loss of this process's rows, and the gradient's norm, as tensors."""
        while True:
            loss = self.gradient(done)
            norm = self.optimizer.norm()
            if self.type != torch.float16 or torch.isfinite(norm):
                break
            # The gradient left the range of fp16: the same step again, with losses scaled by less.
            self.scale, self.since = self.scale / 2, 0
            if self.scale < 2**-24:
                raise ValueError(
                    f"the gradient of step {done + 1} is not finite: lower the learning rate, or take bf16"
                )
        self.optimizer.update(done + 1, self.config["steps"], norm)
        self.since += 1
        if self.type == torch.float16 and self.since % GROWTH == 0:
            self.scale *= 2
        return loss, norm

    def gradient(self, done):
        """Sets the parameters' gradients to those of the whole batch's loss, and returns this process's share of that loss."""
        for parameter in self.optimizer.parameters:
            parameter.grad = None
        total = torch.zeros((), device=self.processes.device)
        for k in range(self.accumulate):
            index, parts = self.processes.rank * self.accumulate + k, self.processes.count * self.accumulate
            first, end = part(self.config["batch"], index, parts)
            last = k == self.accumulate - 1
            waiting = contextlib.nullcontext() if last or self.processes.count == 1 else self.distributed.no_sync()
            with waiting:
                loss = self.losses(done, first, end).sum() / self.config["batch"]
                # Gradients are averaged over processes, losses are to be summed.
                (loss * self.processes.count * self.scale).backward()
            total += loss.detach()
        if self.scale != 1:
            torch._foreach_mul_([p.grad for p in self.optimizer.parameters], 1 / self.scale)
        return total

    def losses(self, done, first, end):
        """The weighted losses of rows first to end - 1 of a step's batch."""
        batch = self.batch(done, first, end)
        with torch.autocast(self.processes.device.type, self.type, enabled=self.type is not None):
            if self.config["objective"]["kind"] == "consistency":
                return self.consistency(batch)
            data, noise, ratio, labels = (batch[name] for name in ("data", "noise", "ratio", "labels"))
            predicted = self.distributed(data + noise * column(ratio, data), ratio, labels)
            return denoising_losses(predicted, noise, batch["weight"].to(noise.dtype))

    def consistency(self, batch):
        """Song et al. 2023, algorithms 2 and 3: the pair's far point is held to the moving average at the near one."""
        objective = self.config["objective"]
        data, noise, far, near, labels = (batch[name] for name in ("data", "noise", "far", "near", "labels"))
        t, r = column(far, data), column(near, data)
        y = data + noise * t
        with torch.no_grad():
            slope = noise if self.teacher is None else self.guided(y, far, labels)
            z = y + (r - t) * slope
            average = dict(zip(self.names, self.optimizer.ema))
            target = z - r * torch.func.functional_call(self.predictor, average, (z, near, labels))
        predicted = y - t * self.distributed(y, far, labels)
        return consistency_losses(predicted, target, batch["weight"].to(data.dtype), objective["huber"])

    def guided(self, y, ratio, labels):
        """The teacher's noise with guidance in its interval of noise ratios."""
        if labels is None:
            return self.teacher(y, ratio)
        guidance = self.config["objective"]["teacher"]
        none = torch.full_like(labels, self.config["model"]["network"]["classes"])
        both = self.teacher(torch.cat([y, y]), torch.cat([ratio, ratio]), torch.cat([labels, none]))
        conditional, unconditional = both.chunk(2)
        inside = (ratio > guidance.get("from", 0)) & (ratio <= guidance.get("to", float("inf")))
        weight = torch.where(inside, guidance["scale"], 1.0)
        return unconditional + (conditional - unconditional) * column(weight, y)

    def batch(self, done, first, end):
        """The data and random numbers of rows first to end - 1 of the batch of step done + 1."""
        config, rows, device = self.config, end - first, self.processes.device
        begin = done * config["batch"]
        values, labels = self.dataset.rows(self.order.indices(begin + first, begin + end))
        data, labels = torch.from_numpy(values), torch.from_numpy(labels.astype("int64"))
        rng = create_rng(config["seed"]).fork("training").fork(f"step {done}")
        if config.get("flip"):
            flipped = rng.fork("flip").uniform([rows], first) < 0.5
            data = torch.where(flipped[:, None, None, None], data.flip(2), data)
        classes = config["model"]["network"].get("classes", 0)
        if classes > 0:
            dropped = rng.fork("label").uniform([rows], first) < config["labelDropout"]
            labels = torch.where(dropped, classes, labels)
        else:
            labels = None
        batch = {"data": data, "labels": labels}
        level, objective = rng.fork("level"), config["objective"]
        if objective["kind"] == "consistency":
            levels = consistency_levels(objective, level, rows, done / config["steps"], first)
            batch.update(zip(("far", "near", "weight"), levels))
        else:
            batch["ratio"], batch["weight"] = draw_levels(objective, level, rows, first)
        batch = {name: None if value is None else value.to(device, non_blocking=True) for name, value in batch.items()}
        return {**batch, "noise": rng.fork("noise").normal([rows, *data.shape[1:]], first, device)}


def column(values, like):
    """[B] as [B, 1, ...] in the type of `like`."""
    return values.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))
