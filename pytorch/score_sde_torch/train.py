"""Trains a score network by the recipe of `deno task train --export-recipe`, on one process or, by torchrun, on many.

    python3 -m score_sde_torch.train --recipe recipe.json --out runs/mnist
    torchrun --nproc-per-node 2 -m score_sde_torch.train --recipe recipe.json --out runs/mnist

Writes checkpoint.safetensors, model.safetensors and metrics.jsonl, the files of `deno task train`. The same command
goes on from the checkpoint that it finds in its folder.
"""

import argparse
import glob
import json
import math
import os
import re
import signal
import sys
import time

import torch

from .checkpoint import Checkpoint, checkpoint_bytes, model_bytes, write_whole
from .data import open_data
from .json_text import json_text
from .optimizer import learning_rate
from .processes import Processes
from .recipe import read_recipe, recipe_of_checkpoint
from .training import Training

PART = re.compile(r"(checkpoint|model(-\d+)?|metrics)\.[a-z]+\.\d+\.part$")


def positive(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="score_sde_torch.train", description=__doc__.split("\n")[0], allow_abbrev=False
    )
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--recipe",
        metavar="FILE",
        help="recipe that deno task train --export-recipe has written",
    )
    what.add_argument(
        "--resume",
        metavar="FILE",
        help="checkpoint of either side to go on from; its data are MNIST's or CIFAR-10's",
    )
    add(
        "--out",
        metavar="FOLDER",
        help="folder to write (default runs/ and the recipe's name, or the resumed checkpoint's folder)",
    )
    add(
        "--data",
        metavar="FOLDER",
        help="where MNIST's or CIFAR-10's files are (default SCORE_SDE_DATA)",
    )
    add(
        "--precision",
        choices=("fp32", "bf16", "fp16"),
        default="fp32",
        help="type of the network's arithmetic; weights are float32 (default fp32)",
    )
    add(
        "--accumulate",
        metavar="K",
        type=positive,
        default=1,
        help="parts in which a process takes its rows of a batch, for less memory (default 1)",
    )
    add(
        "--until",
        metavar="STEP",
        type=positive,
        help="step to end at, with a checkpoint (default the recipe's last)",
    )
    add(
        "--checkpoint-every",
        metavar="N",
        type=positive,
        default=500,
        help="steps between checkpoints (default 500)",
    )
    add(
        "--keep-models",
        action="store_true",
        help="keep the model of every checkpoint as model-STEP.safetensors, for deno task select",
    )
    add(
        "--log-every",
        metavar="N",
        type=positive,
        default=10,
        help="steps between lines of metrics (default 10)",
    )
    add(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="auto takes a GPU where there is one (default auto)",
    )
    add(
        "--backend",
        choices=("gloo", "nccl"),
        help="what carries gradients between processes (default nccl on GPUs, else gloo)",
    )
    return parser.parse_args(arguments)


def run(flags):
    recipe = read_recipe(flags.recipe) if flags.recipe else recipe_of_checkpoint(flags.resume)
    folder = flags.out or (
        os.path.dirname(flags.resume) or "."
        if flags.resume
        else os.path.join("runs", os.path.splitext(os.path.basename(flags.recipe))[0])
    )
    named = [recipe.data] if os.path.isdir(recipe.data) else []
    folders = [flags.data] if flags.data else named + list(filter(None, [os.environ.get("SCORE_SDE_DATA")]))
    model = recipe.config["model"]
    dataset = open_data(recipe.files, recipe.notes.get("dataset"), model.get("units"), folders)
    dataset = dataset.without_held_out(recipe.held_out)
    if flags.precision == "fp32":
        # Convolutions of GPUs would be in TF32, which has ten bits of float32's 23.
        torch.backends.cudnn.allow_tf32 = False
    with Processes(flags.device, flags.backend) as processes:
        training = Training(recipe.config, dataset, processes, flags.precision, flags.accumulate)
        start = begin(recipe, folder, training)
        if recipe.config["objective"].get("teacher") is not None and training.teacher is None:
            raise ValueError("consistency distillation needs a teacher's weights, and the recipe begins with none")
        end = min(flags.until or recipe.config["steps"], recipe.config["steps"])
        if start >= end:
            raise ValueError(f"{folder} has done {start} of {end} steps: there is nothing left to do")
        if processes.rank == 0:
            os.makedirs(folder, exist_ok=True)
            for path in glob.glob(f"{folder}/*.part"):
                if PART.search(path):
                    os.remove(path)
            rewind(f"{folder}/metrics.jsonl", start)
            count = sum(p.numel() for p in training.optimizer.parameters)
            where = torch.cuda.get_device_name() if processes.device.type == "cuda" else "CPU"
            noun = "process" if processes.count == 1 else "processes"
            data = f"{len(dataset)} samples of {recipe.data}"
            say(f"training {count} parameters on {data}, {processes.count} {noun}, {where}")
            if start > 0:
                say(f"going on from step {start}")
        steps(recipe, folder, training, start, end, flags)


def begin(recipe, folder, training):
    """Takes the state of the folder's checkpoint, else that which the recipe begins with; returns its step."""

    def read():
        own = f"{folder}/checkpoint.safetensors"
        if os.path.exists(own):
            checkpoint = Checkpoint(own)
            if checkpoint.config != recipe.config:
                raise ValueError(f"{own} is of another recipe: choose another --out")
        elif recipe.start:
            checkpoint = Checkpoint(recipe.start)
            if checkpoint.config["model"] != recipe.config["model"]:
                raise ValueError(f"{recipe.start} is of another model than the recipe's")
        else:
            return None
        return checkpoint.step, checkpoint.state(training.network)

    # Only the first process reads, so that all begin alike, and its folder need not be on every machine.
    found, error = None, None
    if training.processes.rank == 0:
        try:
            found = read()
        except (ValueError, OSError) as failure:
            error = str(failure)
    found, error = training.processes.from_first((found, error))
    if error is not None:
        raise ValueError(error)
    if found is None:
        return 0
    step, state = found
    training.restore(step, state)
    return step


def steps(recipe, folder, training, start, end, flags):
    """Takes the steps from `start` to `end`, with metrics and checkpoints."""
    processes, config = training.processes, recipe.config
    raised = []
    previous = {
        number: signal.signal(number, lambda number, _: raised.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    began, losses, norms = time.monotonic(), [], []
    try:
        for done in range(start, end):
            loss, norm = training.step(done)
            losses.append(loss)
            norms.append(norm)
            step = done + 1
            due = step == end or step % flags.checkpoint_every == 0
            if not (due or step == 1 or step % flags.log_every == 0):
                continue
            # Whether any process was asked to end is agreed on with the losses.
            asked = torch.tensor([float(raised[0] if raised else 0)], device=processes.device)
            summed = processes.sum(torch.cat([torch.stack(losses), asked])).tolist()
            values = summed[:-1]
            for at, value in enumerate(values):
                if not math.isfinite(value):
                    raise ValueError(
                        f"the loss is {value} at step {step - len(values) + at + 1}: lower the learning rate, or "
                        "resume from before that step"
                    )
            metrics = {
                "step": step,
                "loss": sum(values) / len(values),
                "gradientNorm": torch.stack(norms).mean().item(),
                "rate": learning_rate(config["optimizer"], step, config["steps"]),
                "seconds": time.monotonic() - began,
            }
            losses, norms = [], []
            if processes.rank == 0:
                with open(f"{folder}/metrics.jsonl", "a") as file:
                    file.write(json_text(metrics) + "\n")
                speed = (step - start) / metrics["seconds"]
                say(f"step {step}/{config['steps']}, loss {metrics['loss']:.4f}, {speed:.2f} steps/s")
                if due or summed[-1] > 0:
                    save(recipe, folder, training, step, flags.keep_models)
            if summed[-1] > 0 and step < end:
                if processes.rank == 0:
                    say(f"stopped after step {step}: the same command goes on")
                sys.exit(128 + (raised[0] if raised else signal.SIGTERM))
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if processes.rank == 0:
        took = f"{end - start} steps in {time.monotonic() - began:.1f} s"
        print(f"{took}, loss {metrics['loss']:.4f}: {folder}/model.safetensors")


def save(recipe, folder, training, step, keep):
    state = training.state()
    # Weights that half precision cannot hold must not replace a good checkpoint: the model's bytes are made first.
    model = model_bytes(recipe, step, training.network, state)
    write_whole(f"{folder}/checkpoint.safetensors", checkpoint_bytes(recipe, step, training.network, state))
    for name in ["model", f"model-{step:06}"] if keep else ["model"]:
        write_whole(f"{folder}/{name}.safetensors", model)


def rewind(path, step):
    """Drops metrics of steps that will be taken again, and lines that were not written whole."""
    if not os.path.exists(path):
        return
    kept = []
    with open(path) as file:
        for line in file:
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line)
            except (ValueError, KeyError, TypeError):
                pass
    write_whole(path, "".join(kept).encode())


def say(text):
    print(text, file=sys.stderr, flush=True)


def main(arguments=None):
    flags = parse(arguments)
    try:
        run(flags)
    except (ValueError, OSError) as error:
        rank = os.environ.get("RANK", "0")
        say(f"error: {error}" if rank == "0" else f"error in process {rank}: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
