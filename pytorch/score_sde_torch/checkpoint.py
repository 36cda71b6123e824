"""Checkpoints and models in the files of `deno task train`: the same tensors under the same names, and the same metadata."""

import json
import os

import numpy as np
import torch

from . import safetensors
from .json_text import json_text
from .networks import from_torch, name_there, ordered_parameters, to_torch

FORMAT = "score-sde model 1"
NOTES = ("dataset", "source", "plan", "changes")


class Checkpoint:
    """What a training run needs to go on, read from a file: its config, notes on its data, its step and its tensors."""

    def __init__(self, path):
        self.path = path
        self.tensors, metadata = safetensors.read(path)
        if metadata.get("format") != FORMAT:
            raise ValueError(f'"{path}" is not a model of this project: its header does not say "{FORMAT}"')
        if "training" not in metadata:
            raise ValueError(f'"{path}" holds no training state, so it can be sampled but not resumed')
        self.config = {**json.loads(metadata["training"]), "model": json.loads(metadata["model"])}
        self.step = int(metadata["step"])
        self.data = metadata.get("data", "unknown")
        self.notes = {name: json.loads(metadata[name]) for name in NOTES if name in metadata}

    def state(self, network):
        """The averaged weights, weights, moments and, where there are any, a teacher's: lists of tensors, by name."""
        parameters = ordered_parameters(network)
        state = {"ema": [self._tensor(name_there(name), parameter) for name, parameter in parameters]}
        for key in ("weights", "mean", "variance", "teacher"):
            flat = self.tensors.get(f"training.{key}")
            if flat is not None:
                state[key] = unflatten(flat, [parameter for _, parameter in parameters], self.path)
            elif key != "teacher":
                raise ValueError(f'"{self.path}" lacks the tensor "training.{key}"')
        return state

    def _tensor(self, name, parameter):
        values = self.tensors.get(name)
        if values is None or list(values.shape) != shape_there(parameter):
            found = "is missing" if values is None else f"has the shape {list(values.shape)}"
            raise ValueError(f'the parameter "{name}" of "{self.path}" {found}, not {shape_there(parameter)}')
        return to_torch(values.copy())


def shape_there(parameter):
    axes = {4: (2, 3, 1, 0), 2: (1, 0)}.get(parameter.ndim, range(parameter.ndim))
    return [parameter.shape[axis] for axis in axes]


def unflatten(flat, parameters, path):
    """Tensors of the parameters' shapes from all their values end to end."""
    if flat.size != sum(parameter.numel() for parameter in parameters):
        raise ValueError(f'"{path}" has {flat.size} values for {sum(p.numel() for p in parameters)} parameters')
    ends = np.cumsum([parameter.numel() for parameter in parameters])
    pieces = np.split(flat, ends[:-1])
    return [to_torch(piece.reshape(shape_there(p)).copy()) for piece, p in zip(pieces, parameters)]


def flatten(tensors):
    """All values end to end, in the layouts of the TypeScript side."""
    return np.concatenate([from_torch(tensor.detach().cpu()).reshape(-1) for tensor in tensors])


def metadata_of(recipe, step):
    notes = {name: json_text(recipe.notes[name]) for name in NOTES if name in recipe.notes}
    return {"step": str(step), "data": recipe.data, **notes}


def checkpoint_bytes(recipe, step, network, state):
    """The bytes of a checkpoint; `state` has lists of tensors in the order of `ordered_parameters`."""
    tensors = averaged(network, state)
    for key in ("weights", "mean", "variance", "teacher"):
        if key in state:
            tensors[f"training.{key}"] = flatten(state[key])
    for name, values in tensors.items():
        if not np.isfinite(values).all():
            raise ValueError(f"{name} is no longer finite at step {step}: lower the learning rate, or resume from before")
    training = {key: value for key, value in recipe.config.items() if key != "model"}
    own = {"format": FORMAT, "model": json_text(recipe.config["model"]), "training": json_text(training)}
    return safetensors.to_bytes(tensors, {**own, **metadata_of(recipe, step)})


def model_bytes(recipe, step, network, state):
    """The bytes of the averaged weights alone, in half precision, as a model to sample from."""
    tensors = averaged(network, state)
    for name, values in tensors.items():
        if np.abs(values).max() >= 65520:
            raise ValueError(f"{name} holds {np.abs(values).max()}, which half precision cannot")
    training = {key: value for key, value in recipe.config.items() if key != "model"}
    own = {"format": FORMAT, "model": json_text(recipe.config["model"]), "recipe": json_text(training)}
    return safetensors.to_bytes(tensors, {**own, **metadata_of(recipe, step)}, "F16")


def averaged(network, state):
    names = [name_there(name) for name, _ in ordered_parameters(network)]
    return {name: from_torch(tensor.detach().cpu()) for name, tensor in zip(names, state["ema"])}


def write_whole(path, data):
    """Writes a file whole or not at all."""
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
