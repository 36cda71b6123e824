"""The processes of a run, as torchrun starts them; one process without it."""

import os

import torch
import torch.distributed as dist


class Processes:
    """This process among those of a run: its rank, how many there are, and its device. Use as a context manager."""

    def __init__(self, device="auto", backend=None):
        self.rank, self.count = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        cuda = torch.cuda.is_available() if device == "auto" else device == "cuda"
        if cuda and not torch.cuda.is_available():
            raise ValueError("--device cuda needs a GPU that PyTorch can use, and there is none")
        local = int(os.environ.get("LOCAL_RANK", 0))
        self.device = torch.device("cuda", local) if cuda else torch.device("cpu")
        self.backend = backend or ("nccl" if cuda else "gloo")
        if cuda:
            torch.cuda.set_device(self.device)

    def __enter__(self):
        if self.count > 1:
            dist.init_process_group(self.backend)
        return self

    def __exit__(self, kind, error, trace):
        if self.count > 1:
            if kind is None:
                dist.barrier()
            dist.destroy_process_group()

    def sum(self, values):
        """The sum of a tensor over all processes."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def from_first(self, value):
        """What the first process has."""
        if self.count == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, 0)
        return values[0]


def part(rows, index, parts):
    """The first row and the one after the last of a part of the rows; parts differ by one row at most."""
    return rows * index // parts, rows * (index + 1) // parts
