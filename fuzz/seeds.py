"""Writes the seeds of a fuzz target: seeds.py npy|npz|onnx|saved|own FOLDER.

They are made of tests/fixtures, and for own kernels of the sources that stand in code and documentation. Needs nothing but
Python, and for saved graphs the command of longshore, whose path is in LONGSHORE. ONNX cases bring their shapes and weights as inputs; a second seed of each
has them as initializers, so that more of the import is reached. A message that stands twice is
merged, so an appended graph of initializers is enough.
"""

import ast
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
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


def saved(folder):
    """Every case that can be converted, as its nodes are imported and as passes leave them."""
    with tempfile.TemporaryDirectory() as temporary:
        model, graph = pathlib.Path(temporary) / "model.onnx", pathlib.Path(temporary) / "graph.json"
        for case, files in cases().items():
            model.write_bytes(files["model.onnx"])
            for kind in ([], ["--no-passes"]):
                command = [os.environ["LONGSHORE"], "convert", model, "--output", graph, *kind]
                if subprocess.run(command, capture_output=True).returncode:
                    continue
                described = graph.read_bytes()
                name = json.loads(described)["weights"]
                weights = graph.with_name(name).read_bytes() if name else b""
                seed = described + b"\0" + weights
                if len(seed) <= LARGEST:
                    (folder / (case + "".join(kind))).write_bytes(seed)


def own(folder):
    """The shaders of examples, and the kernels in tests and documentation."""
    files = [*ROOT.glob("examples/*.wgsl"), *ROOT.glob("docs/*.md"), ROOT / "src/own/mod.rs"]
    files += [*ROOT.glob("tests/*/own.rs"), *ROOT.glob("tests/cpu/own/*.rs")]
    for path in sorted(files):
        text = re.sub(r"(?m)^\s*//[!/] ?", "", path.read_text(encoding="utf8"))
        sources = [text] if path.suffix == ".wgsl" else re.findall(r'"([^"]*@compute[^"]*)"', text)
        sources += re.findall(r"```wgsl\n(.*?)```", text, re.S)
        for number, source in enumerate(sources):
            name = f"{path.parent.name}.{path.stem}.{number}"
            (folder / name).write_text(source.replace("\\n", "\n").replace("{{", "{").replace("}}", "}"), encoding="utf8")


def main():
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    make = {"onnx": onnx, "saved": saved, "own": own}.get(target)
    if make is not None:
        return make(folder)
    for path in sorted((FIXTURES / "npy").glob("*." + target)):
        shutil.copy(path, folder / path.name)


main()
