"""What the simulated accelerator costs, against the same program on the CPU.

    python -m benchmarks.accelerator [--steps 200] [--batch 128] [--rounds 3]

In one run on one machine, one thread: CPU seconds to turn the simulation on and off once its
table is there, CPU microseconds that one operator costs more, and the time of one training step
of a 784-256-10 perceptron (AdamW, gradient scaler, loss read every step) as a ratio. The losses
of both runs must be equal to the bit, else the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

from autograder.inside.accelerator import simulation


def train(device: str, steps: int, batch: int) -> tuple[float, list[float]]:
    """CPU seconds per step and the losses of `steps` steps on random images, seeded."""
    torch.manual_seed(0)
    images, labels = torch.randn(8, batch, 784), torch.randint(0, 10, (8, batch))
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler("cuda", enabled=device == "cuda")
    losses = []
    start = time.process_time()
    for step in range(steps):
        x, y = images[step % 8].to(device), labels[step % 8].to(device)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return (time.process_time() - start) / steps, losses


def one_operator(device: str, times: int = 5000) -> float:
    """Microseconds of one addition of two small tensors."""
    x = torch.ones(8, 8).to(device)
    start = time.process_time()
    for _ in range(times):
        torch.add(x, x)
    return (time.process_time() - start) / times * 1e6


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    simulation.prepare()
    print(f"preparing, once and ahead: {time.process_time() - start:.2f} s")
    train("cpu", 10, options.batch)
    ratios, equal = [], True
    for _ in range(options.rounds):
        plain_s, plain = train("cpu", options.steps, options.batch)
        small = one_operator("cpu")
        start = time.process_time()
        with simulation.accelerator() as ledger:
            on = time.process_time() - start
            simulated_s, simulated = train("cuda", options.steps, options.batch)
            more = one_operator("cuda") - small
            operators = ledger.ops
            start = time.process_time()
        off = time.process_time() - start
        equal = equal and plain == simulated
        ratios.append(simulated_s / plain_s)
        print(
            f"on {on * 1e3:.0f} ms, off {off * 1e3:.0f} ms; {more:.1f} us more per operator "
            f"({operators} of them); a step {plain_s * 1e3:.2f} -> {simulated_s * 1e3:.2f} ms"
        )
    print(f"a training step: {min(ratios):.2f} times the CPU's; losses equal: {equal}")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
