"""Runs PyTorch networks on given inputs, for the claim that both implementations agree.

Usage, with the folder pytorch in PYTHONPATH: pytorch_networks.py MODEL INPUT OUTPUT [MODEL INPUT OUTPUT …], all safetensors. MODEL is a model or checkpoint as `train`
writes it; INPUT has `x`, `noiseFeatures`, `classes` (optional) and `cotangent`. OUTPUT gets `y` and the gradients of
Σ y·cotangent, `gradient:NAME` for each parameter and `gradient:x`, all computed in float64; and for each of them
`rounding:…`, the norm of what PyTorch's own float32 gets wrong.
"""

import json
import sys

import numpy as np
import torch

from score_sde_torch import networks, safetensors


def compare(source, inputs, outputs):
    exact = run(source, inputs, torch.float64)
    rounded = run(source, inputs, torch.float32)
    results = {name: values.astype(np.float32) for name, values in exact.items()}
    for name, values in exact.items():
        results[f"rounding:{name}"] = np.array([np.linalg.norm(rounded[name] - values)], np.float32)
    safetensors.write(outputs, results)


def run(source, inputs, dtype):
    weights, metadata = safetensors.read(source)
    network = networks.build(json.loads(metadata["model"])["network"], weights).to(dtype)
    given = {name: torch.from_numpy(values).to(dtype) for name, values in safetensors.read(inputs)[0].items()}
    x = given["x"].requires_grad_()
    y = network(x, given["noiseFeatures"], given.get("classes"))
    (y * given["cotangent"]).sum().backward()
    results = {"y": y.detach().numpy(), "gradient:x": x.grad.numpy()}
    for name, gradient in networks.named_gradients(network).items():
        results[f"gradient:{name}"] = gradient
    return results


if __name__ == "__main__":
    for start in range(1, len(sys.argv), 3):
        compare(*sys.argv[start : start + 3])
