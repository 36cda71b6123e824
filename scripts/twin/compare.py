"""Runs PyTorch networks on given inputs, for the claim that both implementations agree.

Usage: compare.py MODEL INPUT OUTPUT [MODEL INPUT OUTPUT …], all safetensors. MODEL is a model or checkpoint as `train`
writes it; INPUT has `x`, `noiseFeatures`, `classes` (optional) and `cotangent`. OUTPUT gets `y` and the gradients of
Σ y·cotangent: `gradient:NAME` for each parameter and `gradient:x`.
"""

import json
import sys

import torch

import model
import safetensors


def compare(source, inputs, outputs):
    weights, metadata = safetensors.read(source)
    network = model.build(json.loads(metadata["model"])["network"], weights)
    given = {name: torch.from_numpy(values) for name, values in safetensors.read(inputs)[0].items()}
    x = given["x"].requires_grad_()
    y = network(x, given["noiseFeatures"], given.get("classes"))
    (y * given["cotangent"]).sum().backward()
    results = {"y": y.detach().numpy(), "gradient:x": x.grad.numpy()}
    for name, gradient in model.named_gradients(network).items():
        results[f"gradient:{name}"] = gradient
    safetensors.write(outputs, results)


if __name__ == "__main__":
    for start in range(1, len(sys.argv), 3):
        compare(*sys.argv[start : start + 3])
