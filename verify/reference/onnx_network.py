"""Writes a small network of PyTorch as an ONNX file in diffusers' form, and what PyTorch computes with it.

python3 onnx_network.py FILE.onnx FILE.json: a batch of any size, images [batch, 3, height, width], whole timesteps [batch].
"""

import json
import sys
import warnings

import torch

warnings.filterwarnings("ignore")


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.embed = torch.nn.Linear(8, 8)
        self.norm = torch.nn.GroupNorm(2, 8)
        self.last = torch.nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, sample, timestep):
        angles = timestep.float()[:, None] * torch.exp(torch.arange(4) * -2.0)
        features = self.embed(torch.cat([angles.sin(), angles.cos()], 1))
        hidden = self.norm(self.first(sample)) + features[:, :, None, None]
        return self.last(torch.nn.functional.silu(hidden))


torch.manual_seed(0)
network = Network().eval()
sample, timestep = torch.randn(3, 3, 6, 4), torch.tensor([0, 17, 99])
try:
    # Only custom operations need the package onnx, and there are none.
    from torch.onnx._internal.torchscript_exporter import onnx_proto_utils

    onnx_proto_utils._add_onnxscript_fn = lambda model, custom: model
except ImportError:
    pass
axes = {"sample": {0: "batch", 2: "height", 3: "width"}, "timestep": {0: "batch"}}
names = {"input_names": ["sample", "timestep"], "output_names": ["out_sample"], "dynamic_axes": axes}
torch.onnx.export(network, (sample, timestep), sys.argv[1], dynamo=False, **names)
with torch.no_grad():
    out = network(sample, timestep)
with open(sys.argv[2], "w") as file:
    json.dump({"sample": sample.flatten().tolist(), "out": out.flatten().tolist()}, file)
