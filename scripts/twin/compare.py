"""Runs the PyTorch network on what a safetensors file holds, for the claim that both implementations agree.

Usage: compare.py INPUT OUTPUT. The input has the network's config (JSON) under the metadata key `config`, its weights
under `weight:NAME`, and `x`, `noiseFeatures`, `classes` (optional) and `cotangent`. The output gets `y` and the gradients
of Σ y·cotangent: `gradient:NAME` for each weight and `gradient:x`, which has no other name.
"""

import json
import sys

import torch

import model
import safetensors


def main(source, target):
    tensors, metadata = safetensors.read(source)
    weights = {name.removeprefix("weight:"): t for name, t in tensors.items() if name.startswith("weight:")}
    network = model.build(json.loads(metadata["config"]), weights)
    x = torch.from_numpy(tensors["x"]).requires_grad_()
    classes = torch.from_numpy(tensors["classes"]) if "classes" in tensors else None
    y = network(x, torch.from_numpy(tensors["noiseFeatures"]), classes)
    (y * torch.from_numpy(tensors["cotangent"])).sum().backward()
    results = {"y": y.detach().numpy(), "gradient:x": x.grad.numpy()}
    for name, gradient in model.named_gradients(network).items():
        results[f"gradient:{name}"] = gradient
    safetensors.write(target, results)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
