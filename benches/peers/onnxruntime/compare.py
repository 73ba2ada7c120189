"""Times `longshore run` and ONNX Runtime on the same networks, in turns, and compares results.

    cargo build --release
    pip install -r tests/fixtures/onnx/export-requirements.txt
    python tests/fixtures/onnx/export.py full OUT
    python benches/peers/onnxruntime/compare.py target/release/longshore ADAPTER OUT/*

Each folder holds model.onnx and in.0.npy, and maybe out.N.npy, the answers of what exported it.
Three rounds: 20 runs here after one that is not counted, then 20 there. Each side has the
processor's cores as threads. A row of docs/networks.md has the least median and the least time of
the rounds, and the greatest difference of any output in parts of its largest magnitude, or of 1.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

import numpy as np
import onnxruntime

ROUNDS, RUNS = 3, 20


def here(command, folder, name, out):
    """Runs the command; returns the median and least time in milliseconds."""
    line = subprocess.run([*command[:1], "run", str(folder / "model.onnx"), "--input",
                           f"{name}={folder / 'in.0.npy'}", "--output", str(out), "--adapter",
                           *command[1:], "--repeat", str(RUNS)],
                          check=True, stdout=subprocess.PIPE, text=True).stdout
    return [float(time) for time in re.findall(r"(?:median|min) ([0-9.]+) ms", line)]


def there(session, feed):
    answers, times = session.run(None, feed), []
    for _ in range(RUNS):
        started = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - started) * 1e3)
    return answers, [statistics.median(times), min(times)]


def difference(found, answer):
    assert found.shape == answer.shape
    return np.abs(found - answer).max() / max(1.0, np.abs(answer).max())


def row(command, folder):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options,
                                           providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    feed = {name: np.load(folder / "in.0.npy")}
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as out:
        for _ in range(ROUNDS):
            ours.append(here(command, folder, name, out))
            answers, times = there(session, feed)
            theirs.append(times)
        files = {urllib.parse.unquote(path.stem): path for path in pathlib.Path(out).iterdir()}
        worst = [0.0, 0.0]
        for number, (port, answer) in enumerate(zip(session.get_outputs(), answers)):
            found = np.load(files[port.name])
            worst[0] = max(worst[0], difference(found, answer))
            expected = folder / f"out.{number}.npy"
            if expected.exists():
                worst[1] = max(worst[1], difference(found, np.load(expected)))
    (our_median, our_least), (their_median, their_least) = (map(min, zip(*all))
                                                            for all in (ours, theirs))
    print(f"| {folder.name} | {worst[0]:.1e} | {worst[1]:.1e} | {our_median:.1f} ms | "
          f"{our_least:.1f} ms | {their_median:.1f} ms | {their_least:.1f} ms | "
          f"{our_median / their_median:.1f} |", flush=True)


def main(longshore, adapter, *folders):
    print(f"load {os.getloadavg()[0]:.1f} before")
    print("| network | from ONNX Runtime | from its exporter | median | least | ONNX Runtime: median | "
          "least | times |\n|---|---|---|---|---|---|---|---|")
    for folder in sorted(map(pathlib.Path, folders)):
        row([longshore, adapter], folder)
    print(f"load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main(*sys.argv[1:])
