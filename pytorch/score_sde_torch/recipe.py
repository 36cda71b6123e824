"""The recipe of a training run, as `deno task train --export-recipe` writes it: all that its weights depend on."""

import json
import os

from .checkpoint import NOTES, Checkpoint
from .networks import NETWORKS
from .objectives import SDES

FORMAT = "score-sde recipe 1"

NETWORK_FIELDS = {
    "unet": "kind height width channels unshuffle widths blocks middleBlocks groups embedding noiseFeatures attention "
    "classes noiseConditional wavePeriods",
    "tutorial": "kind widths embedding sigma frequencyScale frequencySeed frequencies unitRange",
    "mlp": "kind dimensions hidden layers noiseFeatures classes",
}
OBJECTIVE_FIELDS = {
    "edm": "kind mean std sigmaData",
    "sde": "kind sde weighting times logit",
    "levels": "kind ratios",
    "consistency": "kind mean std range highShare highFrom gap huber teacher",
}


class Recipe:
    """A config, the data and the notes on them that checkpoints carry, and the checkpoint to begin with or None."""

    def __init__(self, config, data, files, notes, start):
        self.config, self.data, self.files, self.notes, self.start = config, data, files, notes, start

    @property
    def held_out(self):
        return self.notes.get("source", {}).get("heldOut", 0)


def read_recipe(path):
    """Reads a recipe; its other files are named relative to it."""
    with open(path, "rb") as file:
        try:
            recipe = json.load(file)
        except ValueError as error:
            raise ValueError(f'"{path}" is not a recipe: it is not JSON, {error}') from error
    if not isinstance(recipe, dict) or recipe.get("format") != FORMAT:
        raise ValueError(f'"{path}" is not a recipe of this version: its format is not "{FORMAT}"')
    check_fields("the recipe", recipe, f"format config data files start {' '.join(NOTES)}")
    check_config(recipe["config"])
    folder = os.path.dirname(path)
    files, start = recipe["files"], recipe.get("start")
    if isinstance(files, dict):
        files = {**files, "path": os.path.join(folder, files["path"])}
    notes = {name: recipe[name] for name in NOTES if name in recipe}
    return Recipe(recipe["config"], recipe["data"], files, notes, start and os.path.join(folder, start))


def recipe_of_checkpoint(path):
    """The recipe of a checkpoint, which says all but where its data are."""
    checkpoint = Checkpoint(path)
    check_config(checkpoint.config)
    data = checkpoint.data
    files = data
    if data not in ("mnist", "cifar10"):
        files = kind_of(data)
        if files is None:
            raise ValueError(
                f'the data "{data}" of "{path}" are read by deno alone: write them by '
                f"deno task train --resume {path} --export-recipe recipe.json, and give --recipe recipe.json"
            )
    return Recipe(checkpoint.config, data, files, checkpoint.notes, path)


def kind_of(folder):
    """What a folder holds, mnist or cifar10; None for anything else."""
    for kind, places, name in (
        ("mnist", ("", "mnist", "MNIST/raw", "raw"), "train-images-idx3-ubyte"),
        ("cifar10", ("", "cifar10", "cifar-10-batches-bin"), "data_batch_1.bin"),
    ):
        for place in places:
            if any(os.path.isfile(os.path.join(folder, place, name + end)) for end in ("", ".gz")):
                return kind
    return None


def check_config(config):
    """Raises ValueError, in one sentence that names it, for what this side does not train."""
    names = "model objective optimizer steps batch labelDropout seed flip"
    check_fields("the config", config, names)
    check_fields("the model", config["model"], "network preconditioning consistency units")
    check_fields("the optimizer", config["optimizer"], "rate warmup decay betas epsilon clip ema")
    network, objective = config["model"]["network"], config["objective"]
    check_name("the network's kind", network["kind"], NETWORKS)
    check_fields(f"the {network['kind']} network", network, NETWORK_FIELDS[network["kind"]])
    check_name("the objective's kind", objective["kind"], OBJECTIVE_FIELDS)
    check_fields("the objective", objective, OBJECTIVE_FIELDS[objective["kind"]])
    check_name("the decay of the learning rate", config["optimizer"]["decay"], ("cosine", "constant"))
    if objective["kind"] == "sde":
        check_name("the SDE of the objective", objective["sde"]["kind"], SDES)
        check_name("the weighting", objective["weighting"], ("variance", "likelihood", "velocity"))
        times = ("uniform", "importance", "logit-normal")
        check_name("the distribution of times", objective.get("times", "uniform"), times)
    if (objective["kind"] == "consistency") != (config["model"].get("consistency") is True):
        raise ValueError("a consistency objective needs a model that is a consistency function, and no other does")


def check_fields(what, value, names):
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object, got {json.dumps(value)}")
    for field in value:
        if field not in names.split():
            raise ValueError(f'{what} has the field "{field}", which is not supported in PyTorch')


def check_name(what, name, names):
    if name not in names:
        raise ValueError(f'{what} must be one of {", ".join(names)} in PyTorch, got "{name}"')
