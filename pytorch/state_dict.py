"""Turns a state_dict in a .pth file into safetensors, or safetensors into a .pth file; needs torch and numpy alone.

python3 state_dict.py score_net.pth score_net.safetensors
python3 state_dict.py model.torch.safetensors model.pth
"""

import sys

import torch

from score_sde_torch import safetensors


def main(source, target):
    if target.endswith(".safetensors"):
        state = torch.load(source, map_location="cpu", weights_only=True)
        safetensors.write(target, {name: array(name, tensor) for name, tensor in state.items()}, {"format": "pt"})
    else:
        tensors, _ = safetensors.read(source)
        torch.save({name: torch.from_numpy(values) for name, values in tensors.items()}, target)


def array(name, tensor):
    if not isinstance(tensor, torch.Tensor):
        sys.exit(f"{name} is no tensor but a {type(tensor).__name__}: save the state_dict alone")
    if tensor.dtype not in (torch.float32, torch.float16):
        sys.exit(f"the tensor {name} has type {tensor.dtype}, not float32 or float16: convert it by .float()")
    return tensor.contiguous().numpy()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
