"""What the flight recorder costs a full run, against the same program without it.

    python -m benchmarks.recorder [--epochs 10] [--batches 400] [--rounds 5] [--most 0.03]

In one run on one machine, one thread: a 784-256-10 perceptron trained by batches of 128 from a
DataLoader (Adam, cross-entropy, an evaluation pass after each epoch). Each measurement is a process
of its own, since the recorder's hooks stay where they were put; plain and recorded ones take turns,
and the least CPU time of each kind is compared: what a neighbour on the machine adds is never
negative, and was seen to be twenty times what the recorder adds. Exit status 1 where the recorder
adds more than `--most` of the plain time. The share is also given for the training loop alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

PROGRAM = """
import time
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
images, labels = torch.randn({batches} * 128, 784), torch.randint(0, 10, ({batches} * 128,))
train = DataLoader(TensorDataset(images, labels), 128, shuffle=True)
test = DataLoader(TensorDataset(images[:1280], labels[:1280]), 128)
model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
spent = 0.0
begun = time.process_time()
for epoch in range({epochs}):
    start = time.process_time()
    model.train()
    total = 0.0
    for x, y in train:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    spent += time.process_time() - start
    model.eval()
    right = 0
    with torch.no_grad():
        for x, y in test:
            right += (model(x).argmax(1) == y).sum().item()
whole = time.process_time() - begun
"""
MEASURE = """
import json, sys
import torch
torch.set_num_threads(1)
from autograder.inside import torchvision_compat
torchvision_compat.declare()
from autograder.inside.program import Program
from autograder.inside.probes.recorder import record
program = Program("script", "train.py", [sys.stdin.read()])
if sys.argv[1] == "recorded":
    record(program, {"seconds": 3600.0, "steps": None, "argv": []}, {})
else:
    program.load()
assert not program.errors, program.errors
print(json.dumps([program.namespace["whole"], program.namespace["spent"]]))
"""


def once(kind: str, source: str) -> tuple[float, float]:
    """CPU seconds of one run ("plain" or "recorded"): the whole program, its training loops."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kind],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    )
    whole, spent = json.loads(done.stdout.splitlines()[-1])
    return float(whole), float(spent)


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batches", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=float, default=0.03)
    options = parser.parse_args()
    source = PROGRAM.format(epochs=options.epochs, batches=options.batches)
    plain, recorded = [], []
    for _ in range(options.rounds):
        plain.append(once("plain", source))
        recorded.append(once("recorded", source))
    steps = options.epochs * options.batches
    for i, name in enumerate(("whole program", "training loops")):
        a, b = min(run[i] for run in plain), min(run[i] for run in recorded)
        print(
            f"{name}: {a:.2f} s plain, {b:.2f} s recorded: {(b / a - 1) * 100:+.1f} %, "
            f"{(b - a) / steps * 1e6:.0f} us a step"
        )
    return int(min(recorded)[0] / min(plain)[0] - 1 > options.most)


if __name__ == "__main__":
    sys.exit(main())
