"""The networks of src/networks in PyTorch, their first weights and their predicted noise.

    predictor = load("model.torch.safetensors")  # of deno task convert --to state-dict
    noise = predictor(y, noise_ratio, labels)

Modules carry the same names as the parameters there (but `half_` and `double_`, which nn.Module has as methods); layouts
differ: [height, width, in, out] and [in, out] there, [out, in, height, width] and [out, in] here. Images are
[B, H, W, C] at the border.
"""

import json
import math
import re

import torch
from torch import nn
from torch.nn import functional as F

from . import safetensors
from .rng import create_rng


def conv(into, out, size=3, bias=False):
    return nn.Conv2d(into, out, size, padding=size // 2, bias=bias)


class Half(nn.Conv2d):
    """Stride 2 padded as TensorFlow does for even sizes: one row below, one column to the right."""

    def __init__(self, into, out):
        super().__init__(into, out, 3, stride=2, bias=False)

    def forward(self, x):
        return super().forward(F.pad(x, (0, 1, 0, 1)))


class Norm(nn.GroupNorm):
    def __init__(self, channels, groups):
        super().__init__(min(groups, channels), channels, eps=1e-5)


class Attention(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.norm = Norm(channels, groups)
        self.qkv = conv(channels, 3 * channels, 1)
        self.project = conv(channels, channels, 1)

    def forward(self, x):
        rows = self.qkv(self.norm(x)).flatten(2).transpose(1, 2)  # [B, positions, 3C]
        query, key, value = rows.chunk(3, 2)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return x + self.project(mixed.transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    def __init__(self, into, out, embedding, groups, attends):
        super().__init__()
        self.norm1 = Norm(into, groups)
        self.conv1 = conv(into, out)
        self.film = nn.Linear(embedding, 2 * out)
        self.norm2 = Norm(out, groups)
        self.conv2 = conv(out, out)
        self.skip = nn.Identity() if into == out else conv(into, out, 1)
        self.attention = Attention(out, groups) if attends else nn.Identity()

    def forward(self, x, e):
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.film(e)[:, :, None, None].chunk(2, 1)
        h = F.silu((1 + scale) * self.norm2(h) + shift)
        return self.attention(self.skip(x) + self.conv2(h))


class UNet(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        widths, groups = config["widths"], config["groups"]
        self.fold = config["unshuffle"]
        folded = self.fold**2 * config["channels"]
        self.border = border(config)
        height = (config["height"] + sum(self.border[2:])) // self.fold

        def block(level, into):
            attends = height / 2**level in config["attention"]
            return Block(into, widths[level], config["embedding"], groups, attends)

        self.embedding = nn.ModuleDict(
            {
                "noise1": nn.Linear(config["noiseFeatures"], config["embedding"]),
                "noise2": nn.Linear(config["embedding"], config["embedding"]),
            }
        )
        if config["classes"] > 0:
            self.embedding["class"] = nn.Linear(config["classes"] + 1, config["embedding"], bias=False)
        self.stem = conv(folded, widths[0])
        self.periods = config.get("wavePeriods") or []
        if self.periods:
            waves = 2 * folded * len(self.periods)
            self.stem.waves = conv(waves, widths[0])
            self.stem.waves.gate = nn.Linear(config["embedding"], waves)
        levels = range(len(widths) - 1)
        self.down = nn.ModuleList(
            nn.ModuleDict(
                {
                    "block": nn.ModuleList(block(i, widths[i]) for _ in range(config["blocks"])),
                    "half_": Half(widths[i], widths[i + 1]),
                }
            )
            for i in levels
        )
        self.middle = nn.ModuleDict(
            {"block": nn.ModuleList(block(len(levels), widths[-1]) for _ in range(config["middleBlocks"]))}
        )
        self.up = nn.ModuleList(
            nn.ModuleDict(
                {
                    "double_": conv(widths[i + 1], widths[i]),
                    "block": nn.ModuleList(block(i, 2 * widths[i]) for _ in range(config["blocks"])),
                }
            )
            for i in levels
        )
        self.head = nn.ModuleDict({"norm": Norm(widths[0], groups), "conv": conv(widths[0], folded, bias=True)})

    def forward(self, x, noise_features, classes=None):
        """x [B, H, W, C], noise features [B, F], one-hot classes [B, classes + 1] or None; [B, H, W, C]."""
        e = self.embedding["noise2"](F.silu(self.embedding["noise1"](noise_features)))
        if "class" in self.embedding:
            e = e + self.embedding["class"](classes)
        e = F.silu(e)
        x = F.pad(x, (0, 0, *self.border))
        h = F.conv2d(unshuffle(x, self.fold), self.stem.weight, padding=1)
        if self.periods:
            turns = [x / period for period in self.periods]
            phases = [2 * math.pi * (turn - turn.floor()) for turn in turns]
            waves = torch.cat([part for phase in phases for part in (phase.cos(), phase.sin())], 3)
            gate = self.stem.waves.gate(e)[:, :, None, None]
            h = h + F.conv2d(unshuffle(waves, self.fold) * gate, self.stem.waves.weight, padding=1)
        skips = []
        for level in self.down:
            for block in level["block"]:
                h = block(h, e)
                skips.append(h)
            h = level["half_"](h)
        for block in self.middle["block"]:
            h = block(h, e)
        for level in reversed(self.up):
            h = level["double_"](F.interpolate(h, scale_factor=2, mode="nearest"))
            for block in level["block"]:
                h = block(torch.cat([h, skips.pop()], 1), e)
        y = shuffle(self.head["conv"](F.silu(self.head["norm"](h))), self.fold)
        left, _, above, _ = self.border
        return y[:, above : above + self.config["height"], left : left + self.config["width"]]


def border(config):
    """Zeros left, right, above and below an image whose size the levels do not divide; the odd one is right and below."""
    multiple = config["unshuffle"] * 2 ** (len(config["widths"]) - 1)
    widths = [-config[side] % multiple for side in ("width", "height")]
    return [part for width in widths for part in (width // 2, width - width // 2)]


class Stage(nn.Module):
    """Convolution, plus a dense feature of time, normalization, SiLU."""

    def __init__(self, convolution, out, embedding, groups):
        super().__init__()
        self.conv = convolution
        self.time = nn.Linear(embedding, out)
        self.norm = Norm(out, groups)

    def forward(self, x, e):
        return F.silu(self.norm(self.conv(x) + self.time(e)[:, :, None, None]))


class Tutorial(nn.Module):
    def __init__(self, config):
        super().__init__()
        c1, c2, c3, c4 = config["widths"]
        embedding = config["embedding"]
        self.unit_range = config.get("unitRange", False)

        def down(into, out, stride, groups):
            return Stage(nn.Conv2d(into, out, 3, stride, bias=False), out, embedding, groups)

        def up(into, out, extra):
            convolution = nn.ConvTranspose2d(into, out, 3, 2, output_padding=extra, bias=False)
            return Stage(convolution, out, embedding, 32)

        self.embed = nn.Linear(embedding, embedding)
        self.down = nn.ModuleList([down(1, c1, 1, 4), down(c1, c2, 2, 32), down(c2, c3, 2, 32), down(c3, c4, 2, 32)])
        last = nn.ModuleDict({"conv": nn.ConvTranspose2d(2 * c1, 1, 3)})
        self.up = nn.ModuleList([last, up(2 * c2, c1, 1), up(2 * c3, c2, 1), up(c4, c3, 0)])

    def forward(self, x, noise_features, classes=None):
        """x [B, 28, 28, 1], features of time [B, F], no classes; [B, 28, 28, 1]."""
        e = F.silu(self.embed(noise_features))
        h, skips = x.permute(0, 3, 1, 2), []
        if self.unit_range:
            h = (h + 1) / 2
        for stage in self.down:
            h = stage(h, e)
            skips.append(h)
        skips.pop()
        for stage in reversed(self.up[1:]):
            h = torch.cat([stage(h, e), skips.pop()], 1)
        return self.up[0]["conv"](h).permute(0, 2, 3, 1)


class Perceptron(nn.Module):
    def __init__(self, config):
        super().__init__()
        classes = config["classes"]
        sizes = [config["dimensions"] + config["noiseFeatures"] + (classes + 1 if classes else 0)]
        sizes += [config["hidden"]] * config["layers"]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.head = nn.Linear(sizes[-1], config["dimensions"])

    def forward(self, x, noise_features, classes=None):
        """x [B, D], noise features [B, F], one-hot classes [B, classes + 1] or None; [B, D]."""
        h = torch.cat([x, noise_features] + ([] if classes is None else [classes]), 1)
        for layer in self.layers:
            h = F.silu(layer(h))
        return self.head(h)


class NoisePredictor(nn.Module):
    """The noise that a network predicts in y = x_0 + noise_ratio * noise, with its preconditioning and its features of noise."""

    def __init__(self, model, network):
        super().__init__()
        self.config, self.preconditioning, self.network = model["network"], model["preconditioning"], network

    def forward(self, y, noise_ratio, labels=None):
        """y [B, H, W, C] or [B, D] in [-1, 1], noise_ratio [B], whole labels [B], None for no labels; as y."""
        # All that depends on the noise ratio alone is computed in float64.
        ratio = noise_ratio.double().reshape(-1, *[1] * (y.ndim - 1))
        classes = None
        if self.config.get("classes", 0) > 0:
            none = self.config["classes"]
            rows = torch.full((len(y),), none, device=y.device) if labels is None else labels
            classes = F.one_hot(rows, none + 1).to(y.dtype)
        features = noise_features(self.config, noise_ratio).to(y.dtype)
        if self.preconditioning is None:
            return self.network(y, features, classes)
        centred = y - self.preconditioning["centre"]
        spread = self.preconditioning["sigmaData"]
        scale = 1 / torch.sqrt(ratio**2 + spread**2)
        output = self.network(scale.to(y.dtype) * centred, features, classes)
        return (ratio * scale**2).to(y.dtype) * centred - (spread * scale).to(y.dtype) * output


def noise_features(config, noise_ratio):
    """Cosines, then sines, of the logarithm of the noise ratio, or of the tutorial's time; [B, F] in float64."""
    ratio = noise_ratio.double()
    if config["kind"] == "tutorial":
        growth = 2 * math.log(config["sigma"])
        scale = 0.5 if config.get("unitRange") else 1
        value = torch.log1p((scale * ratio) ** 2 * growth) / growth
        frequencies = 2 * math.pi * random_frequencies(config).to(ratio.device)
    else:
        half = config["noiseFeatures"] // 2
        value = ratio.log()
        if config.get("noiseConditional") is False:
            return torch.zeros(len(ratio), 2 * half, dtype=torch.float64, device=ratio.device)
        frequencies = 0.25 * 64 ** (torch.arange(half, dtype=torch.float64, device=ratio.device) / (half - 1))
    phase = value[:, None] * frequencies
    return torch.cat([phase.cos(), phase.sin()], 1)


def random_frequencies(config):
    """W of the tutorial's features: those that the config lists, or N(0, frequencyScale^2) from its seed; float64."""
    if config.get("frequencies") is not None:
        return torch.tensor(config["frequencies"], dtype=torch.float64)
    rng = create_rng(config["frequencySeed"]).fork("frequencies")
    return config["frequencyScale"] * rng.normal([1, config["embedding"] // 2])[0].double()


def load(path):
    """The noise predictor of a file that deno task convert --to state-dict --names own has written."""
    tensors, metadata = safetensors.read(path)
    model = json.loads(metadata["model"])
    network = build(model["network"])
    network.load_state_dict({name: torch.from_numpy(values) for name, values in tensors.items()})
    return NoisePredictor(model, network).eval()


def unshuffle(x, fold):
    """[B, H, W, C] to [B, fold·fold·C, H/fold, W/fold], channels in the order row, column, channel."""
    batch, height, width, channels = x.shape
    blocks = x.reshape(batch, height // fold, fold, width // fold, fold, channels)
    return blocks.permute(0, 2, 4, 5, 1, 3).reshape(batch, -1, height // fold, width // fold)


def shuffle(x, fold):
    """The inverse of `unshuffle`."""
    batch, depth, height, width = x.shape
    blocks = x.reshape(batch, fold, fold, depth // fold**2, height, width)
    return blocks.permute(0, 4, 1, 5, 2, 3).reshape(batch, height * fold, width * fold, -1)


NETWORKS = {"unet": UNet, "tutorial": Tutorial, "mlp": Perceptron}


def to_torch(values):
    """A parameter of the TypeScript side, as this side lays it out."""
    tensor = torch.from_numpy(values)
    return {4: lambda: tensor.permute(3, 2, 0, 1), 2: lambda: tensor.T}.get(tensor.ndim, lambda: tensor)()


def from_torch(tensor):
    """The inverse of `to_torch`."""
    return {4: lambda: tensor.permute(2, 3, 1, 0), 2: lambda: tensor.T}.get(tensor.ndim, lambda: tensor)().numpy()


def name_here(name):
    """A parameter's name in PyTorch, given its name in TypeScript."""
    return name.replace(".half.", ".half_.").replace(".double.", ".double_.")


def name_there(name):
    """The inverse of `name_here`."""
    return name.replace("_.", ".")


def ordered_parameters(network):
    """Pairs of name and parameter in the order of the TypeScript side: levels on the way up from the coarsest to the finest."""
    pairs = list(network.named_parameters())
    parts = list(dict.fromkeys(name.split(".")[0] for name, _ in pairs))

    def place(pair):
        part, *rest = pair[0].split(".")
        level = -int(rest[0]) if part == "up" else 0
        # The gate of the waves comes before the convolution that mixes them.
        return parts.index(part), level, pair[0] == "stem.waves.weight"

    return sorted(pairs, key=place)


# Last layers of residual branches and of networks, whose weights begin at zero.
ZERO = re.compile(r"(^|\.)(conv2|film|project|gate|head|head\.conv)\.weight$")


@torch.no_grad()
def initialise(network, seed):
    """Gives a network the first weights of a training with a seed: draws of N(0, 1/inputs), gains of 1, else zeros."""
    rng = create_rng(seed).fork("weights")
    for name, parameter in network.named_parameters():
        if parameter.ndim == 1:
            parameter.fill_(1 if re.search(r"norm\d?\.weight$", name) else 0)
        elif ZERO.search(name):
            parameter.zero_()
        else:
            # A transposed convolution of the tutorial's sees nine pixels of each input, as the others do.
            transposed = network.config["kind"] == "tutorial" and name.startswith("up.") and parameter.ndim == 4
            inputs = 9 * parameter.shape[0] if transposed else parameter[0].numel()
            shape = [parameter.shape[axis] for axis in {4: (2, 3, 1, 0), 2: (1, 0)}[parameter.ndim]]
            values = rng.fork(name_there(name)).normal([1, parameter.numel()]).double() * (1 / math.sqrt(inputs))
            parameter.copy_(to_torch(values.float().reshape(shape).numpy()))
    return network


def named_gradients(network):
    """All gradients, by the names and in the layouts of the TypeScript side."""
    return {name_there(name): from_torch(p.grad) for name, p in network.named_parameters()}


def build(config, weights=None):
    """The network of a config (parsed JSON), with weights by name where they are given; others in the file are ignored."""
    network = NETWORKS[config["kind"]](config)
    network.config = config
    if weights is not None:
        here = {name_here(name): values for name, values in weights.items()}
        network.load_state_dict({name: to_torch(here[name]) for name in network.state_dict()})
    return network
