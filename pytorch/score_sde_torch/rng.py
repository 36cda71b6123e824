"""The random numbers of src/compute/rng.ts: Threefry-2x32 with 20 rounds, a stream of numbers for every row.

Row r of a draw is a function of the key and of r alone, so that a row's numbers do not depend on which process draws it.
"""

import math

import torch

MASK = 0xFFFFFFFF
PARITY = 0x1BD11BDA
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry(key, low, high):
    """The two words of the block with the counter (low, high): whole numbers, or tensors of int64 (Salmon et al. 2011)."""
    subkeys = (key[0], key[1], PARITY ^ key[0] ^ key[1])
    x0, x1 = (low + subkeys[0]) & MASK, (high + subkeys[1]) & MASK
    for group in range(5):
        for turn in ROTATIONS[group % 2]:
            x0 = (x0 + x1) & MASK
            x1 = (((x1 << turn) | (x1 >> (32 - turn))) & MASK) ^ x0
        x0 = (x0 + subkeys[(group + 1) % 3]) & MASK
        x1 = (x1 + subkeys[(group + 2) % 3] + group + 1) & MASK
    return x0, x1


class Rng:
    """Streams of random numbers under a key. Every draw begins at the first number of its streams: fork for another one."""

    def __init__(self, key):
        self.key = key

    def fork(self, label):
        """Independent streams for another purpose."""
        text = label.encode()
        padded = text + bytes(-len(text) % 8)
        key = self.key
        for at in range(0, len(padded), 8):
            low, high = (int.from_bytes(padded[at + half : at + half + 4], "little") for half in (0, 4))
            key = threefry(key, low, high)
        return Rng(threefry(key, len(text), MASK))

    def uniform(self, shape, first=0, device="cpu"):
        """Float64 numbers inside (0, 1) of rows first, first + 1, ..., as `shape` says."""
        words = torch.stack(self._words(shape, first, device), 2).reshape(shape[0], -1)
        return self._cut((words.double() + 0.5) / 2**32, shape)

    def normal(self, shape, first=0, device="cpu"):
        """Standard normal float32 numbers, by Box and Muller's transform in float64."""
        even, odd = ((words.double() + 0.5) / 2**32 for words in self._words(shape, first, device))
        radius, angle = torch.sqrt(-2 * torch.log(even)), 2 * math.pi * odd
        pairs = torch.stack([radius * torch.cos(angle), radius * torch.sin(angle)], 2)
        return self._cut(pairs.reshape(shape[0], -1), shape).float()

    def _words(self, shape, first, device):
        blocks = (math.prod(shape[1:]) + 1) // 2
        rows = torch.arange(first, first + shape[0], device=device)[:, None]
        return threefry(self.key, torch.arange(blocks, device=device)[None, :], rows.expand(-1, blocks))

    @staticmethod
    def _cut(values, shape):
        return values[:, : math.prod(shape[1:])].reshape(shape)


def create_rng(seed):
    """The streams of a seed, a whole number from 0 to 2**53 - 1."""
    return Rng((seed & MASK, seed >> 32))
