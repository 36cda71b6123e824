"""Writes a small U-Net of diffusers' layout as an ONNX file, what PyTorch computes with it, and what samplers draw from it.

python3 onnx_unet.py FILE.onnx FILE.json: a batch of any size, images [batch, 3, height, width], whole timesteps [batch]. The
samplers are diffusers' DDIMScheduler and DPMSolverMultistepScheduler with their defaults, written out in numpy's float64.
"""

import json
import math
import sys
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")

WIDTHS, EMBEDDING, GROUPS = (8, 16), 32, 4


class ResnetBlock(nn.Module):
    def __init__(self, into, out):
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, into, eps=1e-5)
        self.conv1 = nn.Conv2d(into, out, 3, padding=1)
        self.time_emb_proj = nn.Linear(EMBEDDING, out)
        self.norm2 = nn.GroupNorm(GROUPS, out, eps=1e-5)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.conv_shortcut = nn.Identity() if into == out else nn.Conv2d(into, out, 1)

    def forward(self, x, embedding):
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time_emb_proj(F.silu(embedding))[:, :, None, None]
        return self.conv_shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.group_norm = nn.GroupNorm(GROUPS, channels, eps=1e-5)
        self.to_q, self.to_k, self.to_v, self.to_out = (nn.Linear(channels, channels) for _ in range(4))

    def forward(self, x):
        batch, channels, height, width = x.shape
        rows = self.group_norm(x).flatten(2).transpose(1, 2)
        scores = self.to_q(rows) @ self.to_k(rows).transpose(1, 2) / math.sqrt(channels)
        mixed = self.to_out(scores.softmax(-1) @ self.to_v(rows))
        return x + mixed.transpose(1, 2).reshape(batch, channels, height, width)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        a, b = WIDTHS
        self.linear_1, self.linear_2 = nn.Linear(16, EMBEDDING), nn.Linear(EMBEDDING, EMBEDDING)
        self.conv_in = nn.Conv2d(3, a, 3, padding=1)
        self.down, self.downsample = ResnetBlock(a, a), nn.Conv2d(a, a, 3, stride=2, padding=1)
        self.deep, self.deep_attention = ResnetBlock(a, b), Attention(b)
        self.mid_1, self.mid_attention, self.mid_2 = ResnetBlock(b, b), Attention(b), ResnetBlock(b, b)
        self.up_deep, self.upsample = ResnetBlock(2 * b, b), nn.Conv2d(b, b, 3, padding=1)
        self.up = ResnetBlock(b + a, a)
        self.conv_norm_out, self.conv_out = nn.GroupNorm(GROUPS, a, eps=1e-5), nn.Conv2d(a, 3, 3, padding=1)

    def forward(self, sample, timestep):
        angles = timestep.float()[:, None] * torch.exp(-math.log(10000) * torch.arange(8) / 8)
        embedding = self.linear_2(F.silu(self.linear_1(torch.cat([angles.cos(), angles.sin()], 1))))
        skip = self.down(self.conv_in(sample), embedding)
        deep = self.deep_attention(self.deep(self.downsample(skip), embedding))
        h = self.mid_2(self.mid_attention(self.mid_1(deep, embedding)), embedding)
        h = self.up_deep(torch.cat([h, deep], 1), embedding)
        h = self.upsample(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        h = self.up(torch.cat([h, skip], 1), embedding)
        return self.conv_out(F.silu(self.conv_norm_out(h)))


def ddim(predict, kept, x, steps):
    """timestep_spacing leading, a last kept variance of 1; predict gives noise."""
    ratio = len(kept) // steps
    timesteps = (np.arange(steps) * ratio).round()[::-1].astype(int)
    for t in timesteps:
        before = kept[t - ratio] if t >= ratio else 1.0
        noise = predict(x, t)
        data = (x - np.sqrt(1 - kept[t]) * noise) / np.sqrt(kept[t])
        x = np.sqrt(before) * data + np.sqrt(1 - before) * noise
    return timesteps, x


def dpm_solver_2m(predict, kept, x, steps):
    """timestep_spacing linspace, midpoint, the last step of first order and to no noise; predict gives velocities."""
    timesteps = np.linspace(0, len(kept) - 1, steps + 1).round()[::-1][:-1].astype(int)
    alpha, sigma = np.sqrt(kept[timesteps]), np.sqrt(1 - kept[timesteps])
    lam = np.log(alpha) - np.log(sigma)
    last = None
    for i, t in enumerate(timesteps):
        data = alpha[i] * x - sigma[i] * predict(x, t)
        if i + 1 == steps:
            return timesteps, data
        h = lam[i + 1] - lam[i]
        x, direction = sigma[i + 1] / sigma[i] * x, alpha[i + 1] * np.expm1(-h)
        x = x - direction * data
        if last is not None:
            x = x - 0.5 * direction * (data - last) * h / (lam[i] - lam[i - 1])
        last = data


torch.manual_seed(0)
torch.set_grad_enabled(False)
network = UNet().eval()
try:
    # Only custom operations need the package onnx, and there are none.
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    onnx_proto_utils._add_onnxscript_fn = lambda model, custom: model
except ImportError:
    pass
sample, timestep = torch.randn(3, 3, 8, 4), torch.tensor([0, 17, 99])
axes = {"sample": {0: "batch", 2: "height", 3: "width"}, "timestep": {0: "batch"}}
names = {"input_names": ["sample", "timestep"], "output_names": ["out_sample"], "dynamic_axes": axes}
torch.onnx.export(network, (sample, timestep), sys.argv[1], dynamo=False, **names)


def predict(x, t):
    return network(torch.from_numpy(x).float(), torch.full((len(x),), int(t))).double().numpy()


noise = np.random.default_rng(1).standard_normal((2, 3, 8, 8)).astype(np.float32)
linear = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
scaled = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
runs = {
    "ddim": ddim(predict, linear, noise.astype(float), 10),
    "dpm++2m": dpm_solver_2m(predict, scaled, noise.astype(float), 8),
}
with open(sys.argv[2], "w") as file:
    result = {
        "sample": sample.flatten().tolist(),
        "out": network(sample, timestep).flatten().tolist(),
        "noise": noise.flatten().tolist(),
        "runs": {name: {"timesteps": t.tolist(), "x": x.flatten().tolist()} for name, (t, x) in runs.items()},
    }
    json.dump(result, file)
