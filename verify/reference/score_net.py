"""The ScoreNet of Song's MNIST tutorial, written after its text, and what PyTorch computes with it and with converted networks.

python3 score_net.py PYTORCH FOLDER, with PYTORCH the folder pytorch. Writes FOLDER/score_net.pth, the state_dict of a
ScoreNet of random weights under DataParallel's names, FOLDER/score_net.safetensors by state_dict.py, and FOLDER/score_net.out
with x, t and its score in float64. Of each FOLDER/NAME.torch.safetensors with inputs in FOLDER/NAME.in it writes the noise
that networks.py predicts in float64 as FOLDER/NAME.out, and FOLDER/NAME.back.safetensors by way of a .pth file.
"""

import glob
import math
import sys

import torch
from torch import nn

sys.path.insert(0, sys.argv[1])
import state_dict
from score_sde_torch import networks, safetensors


class GaussianFourierProjection(nn.Module):
    def __init__(self, embed_dim, scale=30.0):
        super().__init__()
        self.W = nn.Parameter(torch.randn(embed_dim // 2) * scale, requires_grad=False)

    def forward(self, x):
        x_proj = x[:, None] * self.W[None, :] * 2 * math.pi
        return torch.cat([torch.sin(x_proj), torch.cos(x_proj)], dim=-1)


class Dense(nn.Module):
    def __init__(self, input_dim, output_dim):
        super().__init__()
        self.dense = nn.Linear(input_dim, output_dim)

    def forward(self, x):
        return self.dense(x)[..., None, None]


class ScoreNet(nn.Module):
    def __init__(self, marginal_prob_std, channels=(32, 64, 128, 256), embed_dim=256):
        super().__init__()
        self.embed = nn.Sequential(GaussianFourierProjection(embed_dim), nn.Linear(embed_dim, embed_dim))
        self.conv1 = nn.Conv2d(1, channels[0], 3, stride=1, bias=False)
        self.dense1 = Dense(embed_dim, channels[0])
        self.gnorm1 = nn.GroupNorm(4, num_channels=channels[0])
        self.conv2 = nn.Conv2d(channels[0], channels[1], 3, stride=2, bias=False)
        self.dense2 = Dense(embed_dim, channels[1])
        self.gnorm2 = nn.GroupNorm(32, num_channels=channels[1])
        self.conv3 = nn.Conv2d(channels[1], channels[2], 3, stride=2, bias=False)
        self.dense3 = Dense(embed_dim, channels[2])
        self.gnorm3 = nn.GroupNorm(32, num_channels=channels[2])
        self.conv4 = nn.Conv2d(channels[2], channels[3], 3, stride=2, bias=False)
        self.dense4 = Dense(embed_dim, channels[3])
        self.gnorm4 = nn.GroupNorm(32, num_channels=channels[3])
        self.tconv4 = nn.ConvTranspose2d(channels[3], channels[2], 3, stride=2, bias=False)
        self.dense5 = Dense(embed_dim, channels[2])
        self.tgnorm4 = nn.GroupNorm(32, num_channels=channels[2])
        self.tconv3 = nn.ConvTranspose2d(2 * channels[2], channels[1], 3, stride=2, bias=False, output_padding=1)
        self.dense6 = Dense(embed_dim, channels[1])
        self.tgnorm3 = nn.GroupNorm(32, num_channels=channels[1])
        self.tconv2 = nn.ConvTranspose2d(2 * channels[1], channels[0], 3, stride=2, bias=False, output_padding=1)
        self.dense7 = Dense(embed_dim, channels[0])
        self.tgnorm2 = nn.GroupNorm(32, num_channels=channels[0])
        self.tconv1 = nn.ConvTranspose2d(2 * channels[0], 1, 3, stride=1)
        self.act = lambda x: x * torch.sigmoid(x)
        self.marginal_prob_std = marginal_prob_std

    def forward(self, x, t):
        embed = self.act(self.embed(t))
        h1 = self.act(self.gnorm1(self.conv1(x) + self.dense1(embed)))
        h2 = self.act(self.gnorm2(self.conv2(h1) + self.dense2(embed)))
        h3 = self.act(self.gnorm3(self.conv3(h2) + self.dense3(embed)))
        h4 = self.act(self.gnorm4(self.conv4(h3) + self.dense4(embed)))
        h = self.act(self.tgnorm4(self.tconv4(h4) + self.dense5(embed)))
        h = self.act(self.tgnorm3(self.tconv3(torch.cat([h, h3], dim=1)) + self.dense6(embed)))
        h = self.act(self.tgnorm2(self.tconv2(torch.cat([h, h2], dim=1)) + self.dense7(embed)))
        h = self.tconv1(torch.cat([h, h1], dim=1))
        return h / self.marginal_prob_std(t)[:, None, None, None]


def marginal_prob_std(t, sigma=25.0):
    return torch.sqrt((sigma ** (2 * t) - 1.0) / 2.0 / math.log(sigma))


folder = sys.argv[2]
torch.manual_seed(0)
torch.set_grad_enabled(False)
network = nn.DataParallel(ScoreNet(marginal_prob_std))
for parameter in network.parameters():
    if parameter.ndim == 1 and parameter.shape != (128,):
        # Gains and offsets that start as ones and zeros would hide mistakes.
        parameter += 0.3 * torch.randn_like(parameter)
torch.save(network.state_dict(), f"{folder}/score_net.pth")
state_dict.main(f"{folder}/score_net.pth", f"{folder}/score_net.safetensors")
t = torch.tensor([0.05, 0.5, 1.0])
x = torch.rand(3, 1, 28, 28) + marginal_prob_std(t)[:, None, None, None] * torch.randn(3, 1, 28, 28)
score = network.module.double()(x.double(), t.double())
safetensors.write(f"{folder}/score_net.out", {"x": x.numpy(), "t": t.numpy(), "score": score.numpy()})

for path in glob.glob(f"{folder}/*.torch.safetensors"):
    name = path.removesuffix(".torch.safetensors")
    state_dict.main(path, f"{name}.pth")
    state_dict.main(f"{name}.pth", f"{name}.back.safetensors")
    given = {key: torch.from_numpy(values) for key, values in safetensors.read(f"{name}.in")[0].items()}
    labels = given["labels"].long() if "labels" in given else None
    noise = networks.load(path).double()(given["y"].double(), given["ratio"], labels)
    safetensors.write(f"{name}.out", {"noise": noise.numpy()})
