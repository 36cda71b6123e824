"""Reads and writes safetensors files with numpy alone: 8 bytes of header length, a JSON header, raw little-endian data."""

import json
import struct

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


def read(path):
    """Returns (dict of name to float32 array, or int64 for integers; dict of metadata, str to str)."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        tensors = {}
        for name, entry in header.items():
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            values = np.frombuffer(data[start:end], dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
            tensors[name] = values.astype(np.int64 if entry["dtype"].startswith("I") else np.float32)
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'"{path}" is not a safetensors file that can be read: {error}') from error
    return tensors, metadata


def to_bytes(tensors, metadata=None, storage="F32"):
    """The bytes of a file of a dict of name to array, as F32 or F16, and a dict of texts."""
    header, parts, offset = {"__metadata__": metadata} if metadata else {}, [], 0
    for name, values in tensors.items():
        part = np.ascontiguousarray(values, dtype=DTYPES[storage]).tobytes()
        header[name] = {
            "dtype": storage,
            "shape": list(values.shape),
            "data_offsets": [offset, offset + len(part)],
        }
        parts.append(part)
        offset += len(part)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(parts)


def write(path, tensors, metadata=None):
    """Writes a dict of name to array as float32, and a dict of texts."""
    with open(path, "wb") as file:
        file.write(to_bytes(tensors, metadata))
