"""Trains in PyTorch on request, for the claims that it is the training of deno task train.

Usage, with the folder pytorch in PYTHONPATH: pytorch_training.py JOBS, a JSON file of a list of lists, each one of

- ["gradient", RECIPE, STEP, OUTPUT]: OUTPUT, a safetensors file, gets the batch of the step after STEP steps, its `loss` and
  its `gradient`, in float64, and `rounding:loss` and `rounding:gradient`, what PyTorch's float32 gets wrong.
- ["batch", RECIPE, STEP, OUTPUT]: OUTPUT gets the batch alone, of data in the folder SCORE_SDE_DATA where they are published ones.
- ["steps", RECIPE, STEPS, OUTPUT]: OUTPUT gets `weights`, `ema`, `mean` and `variance` after so many steps in float64, `first`, the
  weights before them, and `rounding:...`, the norms of what float32 gets wrong.
- ["overflow", RECIPE, SCALE]: the factor on fp16's losses after a step that began with SCALE, and the step's gradient's distance
  from float32's, relative.
- ["run", ...ARGUMENTS]: what score_sde_torch.train does with a command line, [exit code, lines on stderr].

JOBS then has the answers, null for those with an output.
"""

import contextlib
import io
import json
import os
import sys

import numpy as np
import torch

from score_sde_torch import safetensors, train
from score_sde_torch.checkpoint import Checkpoint, flatten
from score_sde_torch.data import open_data
from score_sde_torch.processes import Processes
from score_sde_torch.recipe import read_recipe
from score_sde_torch.training import Training


class InType(Training):
    """A training whose arithmetic is of another type; its random numbers and data are those of float32."""

    def batch(self, done, first, end):
        dtype = next(self.network.parameters()).dtype
        batch = super().batch(done, first, end)
        return {name: value.to(dtype) if name in ("data", "noise") else value for name, value in batch.items()}


def opened(path, dtype, precision="fp32"):
    recipe = read_recipe(path)
    folders = [os.environ.get("SCORE_SDE_DATA", ".")]
    dataset = open_data(recipe.files, recipe.notes.get("dataset"), recipe.config["model"].get("units"), folders)
    training = InType(recipe.config, dataset.without_held_out(recipe.held_out), Processes("cpu"), precision)
    training.network.to(dtype)
    training.optimizer.ema = [average.to(dtype) for average in training.optimizer.ema]
    if recipe.start is not None:
        checkpoint = Checkpoint(recipe.start)
        state = checkpoint.state(training.network)
        training.restore(checkpoint.step, {name: [value.to(dtype) for value in values] for name, values in state.items()})
    return training


def gradient(path, step, output):
    both = {}
    for dtype in (torch.float32, torch.float64):
        training = opened(path, dtype)
        loss = training.gradient(step)
        both[dtype] = {"loss": loss.numpy().reshape(1), "gradient": flatten([p.grad for p in training.optimizer.parameters])}
    safetensors.write(output, {**batch_of(training, step), **compared(both)})


def batch(path, step, output):
    safetensors.write(output, batch_of(opened(path, torch.float32), step))


def batch_of(training, step):
    values = training.batch(step, 0, training.config["batch"])
    return {name: value.numpy() for name, value in values.items() if value is not None}


def steps(path, count, output):
    both = {}
    for dtype in (torch.float32, torch.float64):
        training = opened(path, dtype)
        first = flatten(training.optimizer.parameters)
        for done in range(count):
            training.step(done)
        both[dtype] = {name: flatten(values) for name, values in training.state().items()}
    safetensors.write(output, {"first": first, **compared(both)})


def overflow(path, scale):
    gradients = []
    for precision in ("fp32", "fp16"):
        training = opened(path, torch.float32, precision)
        # Without clipping, so that the gradient stays as it was.
        training.config["optimizer"]["clip"] = float("inf")
        if precision == "fp16":
            training.scale = scale
        training.step(0)
        gradients.append(flatten([p.grad for p in training.optimizer.parameters]))
    return [training.scale, float(np.linalg.norm(gradients[1] - gradients[0]) / np.linalg.norm(gradients[0]))]


def compared(both):
    exact, rounded = both[torch.float64], both[torch.float32]
    distances = {f"rounding:{name}": np.array([np.linalg.norm(rounded[name] - exact[name])]) for name in exact}
    return {**exact, **distances}


def run(*arguments):
    stderr, code = io.StringIO(), 0
    with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(io.StringIO()):
        try:
            train.main(list(arguments))
        except SystemExit as end:
            code = end.code
    return [code, stderr.getvalue().splitlines()]


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        jobs = json.load(file)
    answers = [{"gradient": gradient, "batch": batch, "steps": steps, "overflow": overflow, "run": run}[kind](*rest) for kind, *rest in jobs]
    with open(sys.argv[1], "w") as file:
        json.dump(answers, file)
