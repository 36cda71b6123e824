"""Data as `deno task train` reads them: MNIST's IDX files, CIFAR-10's binary files, and what --export-recipe wrote."""

import gzip
import hashlib
import os

import numpy as np

from .json_text import json_text
from .rng import create_rng

MODEL_VALUES = (np.arange(256) / 127.5 - 1).astype(np.float32)
CIFAR10 = [f"data_batch_{n}.bin" for n in range(1, 6)]


class Dataset:
    """Samples [N, ...shape], bytes of images or float32 model values, with labels [N]."""

    def __init__(self, samples, labels, units=None):
        self.samples, self.labels, self.units = samples, labels, units

    def __len__(self):
        return len(self.samples)

    def rows(self, indices):
        """Model values and labels of some samples."""
        rows = self.samples[indices]
        return MODEL_VALUES[rows] if rows.dtype == np.uint8 else rows.astype(np.float32), self.labels[indices]

    def sha256(self):
        """The hash of a DatasetIdentity: of the hashes of labels, samples and, for arrays of numbers, units."""
        parts = [self.labels, np.ascontiguousarray(self.samples)]
        digests = [hashlib.sha256(part.tobytes()).digest() for part in parts]
        if self.samples.dtype != np.uint8:
            digests.append(hashlib.sha256(json_text(self.units).encode()).digest())
        return hashlib.sha256(b"".join(digests)).hexdigest()

    def without_held_out(self, held_out):
        """What is trained on where some samples are held out, as src/data/held_out.ts chooses them."""
        if held_out == 0:
            return self
        keys = create_rng(0).fork("held out").uniform([len(self)]).numpy()
        kept = np.sort(np.argsort(keys, kind="stable")[held_out:])
        return Dataset(self.samples[kept], self.labels[kept], self.units)


class Shuffle:
    """The order of samples: position p of a run is sample p mod N of the permutation of epoch p div N."""

    def __init__(self, count, seed):
        self.count, self.rng = count, create_rng(seed).fork("batches")
        self.epoch, self.order = None, None

    def indices(self, first, end):
        """The samples at positions first to end - 1."""
        found = []
        for epoch in range(first // self.count, (end - 1) // self.count + 1):
            if epoch != self.epoch:
                keys = self.rng.fork(f"epoch {epoch}").uniform([self.count]).numpy()
                self.epoch, self.order = epoch, np.argsort(keys, kind="stable")
            begin = epoch * self.count
            found.append(self.order[max(first - begin, 0) : end - begin])
        return np.concatenate(found)


def open_data(files, identity, units, folders):
    """The data of a recipe, checked to be those that it was made for."""
    if files == "mnist":
        dataset = mnist(folders)
    elif files == "cifar10":
        dataset = cifar10(folders)
    else:
        dataset = exported(files, identity, units)
    if identity is not None and dataset.sha256() != identity["sha256"]:
        raise ValueError(f"the data are not those that the recipe was made for: their SHA-256 is not {identity['sha256']}")
    return dataset


def mnist(folders):
    places = [f"{folder}{below}" for folder in folders for below in ("/mnist", "", "/MNIST/raw", "/raw")]
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    images, labels = (idx(find([name], places)[0], rank) for name, rank in zip(names, (3, 1)))
    if len(images) != len(labels):
        raise ValueError(f"MNIST's {len(labels)} labels do not belong to {len(images)} images")
    return Dataset(images[..., None], labels)


def idx(data, rank):
    """An IDX array of unsigned bytes."""
    if data[:4] != bytes([0, 0, 8, rank]):
        raise ValueError(f"an IDX file of {rank} dimensions begins with 00 00 08 0{rank}, not {data[:4].hex(' ')}")
    shape = np.frombuffer(data, ">u4", rank, 4)
    if len(data) != 4 + 4 * rank + np.prod(shape, dtype=np.int64):
        raise ValueError(f"an IDX file of shape {shape.tolist()} cannot have {len(data)} bytes")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def cifar10(folders):
    places = [f"{folder}{below}" for folder in folders for below in ("", "/cifar10", "/cifar-10-batches-bin")]
    data = b"".join(find(CIFAR10, places))
    if len(data) % 3073 != 0:
        raise ValueError(f"CIFAR-10's records have 3073 bytes, {len(data)} are none of them")
    records = np.frombuffer(data, np.uint8).reshape(-1, 3073)
    images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Dataset(np.ascontiguousarray(images), np.ascontiguousarray(records[:, 0]))


def find(names, places):
    """The uncompressed bytes of those of the files that are there, each in the first place that has it."""
    found = []
    for name in names:
        paths = [f"{place}/{name}{end}" for place in places for end in ("", ".gz")]
        path = next((path for path in paths if os.path.isfile(path)), None)
        if path is not None:
            with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
                found.append(file.read())
    if not found:
        where = " or ".join(places) if places else "a folder: give --data, or set SCORE_SDE_DATA"
        raise ValueError(f"there is no {names[0]} in {where}")
    return found


def exported(files, identity, units):
    """The data in a recipe's own file: all samples, then a byte for each label."""
    shape, count = identity["shape"], sum(identity["counts"])
    dtype = np.dtype({"uint8": "u1", "float32": "<f4"}[files["type"]])
    size = count * int(np.prod(shape)) * dtype.itemsize
    if os.path.getsize(files["path"]) != size + count:
        raise ValueError(f'"{files["path"]}" must have {size + count} bytes, it has {os.path.getsize(files["path"])}')
    # Mapped, so that the processes of a machine share one copy.
    samples = np.memmap(files["path"], dtype, "r", 0, (count, *shape))
    return Dataset(samples, np.fromfile(files["path"], np.uint8, count, offset=size), units)
