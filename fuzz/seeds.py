"""Writes the seeds of a fuzz target, made of tests/fixtures: seeds.py npy|npz|onnx FOLDER.

Needs nothing but Python. ONNX cases bring their shapes and weights as inputs; a second seed of each
has them as initializers, so that more of the import is reached. A message that stands twice is
merged, so an appended graph of initializers is enough.
"""

import ast
import pathlib
import shutil
import struct
import sys
import zipfile

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures"
LARGEST = 65536
KINDS = {"f4": 1, "u1": 2, "i1": 3, "u2": 4, "i2": 5, "i4": 6, "i8": 7, "b1": 9, "f2": 10, "f8": 11, "u4": 12, "u8": 13}


def varint(value):
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts + bytes([value]))


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def number(key, value):
    return varint(key << 3) + varint(value)


def initializer(name, data):
    """The array of a .npy file of version 1 as a TensorProto."""
    (length,) = struct.unpack_from("<H", data, 8)
    header = ast.literal_eval(data[10 : 10 + length].decode("latin-1"))
    dims = b"".join(number(1, dim) for dim in header["shape"])
    kind = number(2, KINDS[header["descr"][1:]])
    return dims + kind + field(8, name.encode()) + field(9, data[10 + length :])


def cases():
    """Every model with its inputs: ONNX's cases, which are packed, and the networks' folders."""
    with zipfile.ZipFile(FIXTURES / "onnx" / "conformance.zip") as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    for path in (FIXTURES / "onnx" / "networks").glob("*/*"):
        files[f"{path.parent.name}/{path.name}"] = path.read_bytes()
    folders = {}
    for name, data in sorted(files.items()):
        case, file = name.split("/")
        folders.setdefault(case, {})[file] = data
    return folders


def onnx(folder):
    for case, files in cases().items():
        data = files["model.onnx"]
        (folder / case).write_bytes(data)
        known = []
        for file, array in files.items():
            name = file.removeprefix("in.").removesuffix(".npy")
            if file.startswith("in.") and name not in ("x", "X", "data", "input"):
                known.append(field(5, initializer(name, array)))
        merged = data + field(7, b"".join(known))
        if known and len(merged) <= LARGEST:
            (folder / (case + ".known")).write_bytes(merged)


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if target == "onnx":
        return onnx(folder)
    for path in sorted((FIXTURES / "npy").glob("*." + target)):
        shutil.copy(path, folder / path.name)


main()
