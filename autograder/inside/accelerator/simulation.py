"""A simulated accelerator: one CUDA device, as far as a student's program can tell.

    with simulation.accelerator() as ledger:
        program.load()          # torch.cuda.is_available() is True in there

Why: a batch left on the CPU crashes only where there is a GPU, and a grader's machine seldom
has one. In here `.to("cuda")`, `.cuda()`, `device=`, `pin_memory`, autocast and GradScaler do
what they do on a GPU, the numbers are those of the CPU to the bit (autocast apart), and mixing
devices raises PyTorch's own error. `tensors` tells how; this module puts the labels on:

- `torch.Tensor`: `.device`, `.is_cuda`, `.to`, `.cuda`, `.data`, `.numpy`, pinning, pickling
  (a saved tensor of the device is a plain CPU tensor: any PyTorch can load it);
- `torch.cuda` and `torch.accelerator`: `torch_cuda`'s functions; whatever is not there raises
  `UnsupportedOnSimulator`;
- a few functions of torch that parse a device in C++, or choose kernels by device.

`ledger` (tensors.Ledger) tells what happened on the device. On exit every attribute is as
before and the kernels are gone; tensors still on the device are dead. One thing stays: asked
for CUDA again, a CPU build of PyTorch fails with another wording. Use a process of its own.
Known limits: recurrent layers round otherwise (PyTorch takes another path for CPU weights);
`torch.load` without `map_location` gives CPU tensors; `torch.device(0)`; custom operators;
sparse, quantised and nested tensors; CUDA graphs; DataParallel; `torch.cuda.FloatTensor`;
`meta` as a device of the program's own.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import warnings
from collections.abc import Iterator

import torch
import torch.utils.data  # its worker module is looked at by every kernel

from . import autocast, kernels, labels
from .tensors import Ledger, UnsupportedOnSimulator

__all__ = ["Ledger", "UnsupportedOnSimulator", "accelerator", "is_limit", "prepare"]

# What PyTorch's C++ says where it found out, past our labels, that there is no GPU.
_LIMITS = re.compile(
    r"not possible on the simulated accelerator|Cannot access accelerator device|"
    r"not linked with support for cuda|without ATen_cuda|not compiled with CUDA|"
    r"'CUDA' backend|\bmeta\b"
)
_active: list[Ledger] = []


def is_limit(error: BaseException) -> bool:
    """Whether `error` shows a limit of the simulation and not a bug of the program.

    `UnsupportedOnSimulator` anywhere in its chain, or words of PyTorch's that give away that
    there is no real device. A judge must not blame the student for it.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, UnsupportedOnSimulator):
            return True
        seen = seen.__cause__ or seen.__context__
    return isinstance(error, RuntimeError) and _LIMITS.search(str(error)) is not None


def prepare() -> None:
    """Do the slow part ahead; a template process calls it before it forks.

    The table of operators takes 0.1 s. `torch._dynamo`, which every program imports with its
    first optimizer, inspects functions while it is imported and must see the originals.
    """
    importlib.import_module("torch._dynamo")
    kernels.table()


@contextlib.contextmanager
def accelerator() -> Iterator[Ledger]:
    """Make this process look like one with a single CUDA device; yields the `Ledger`.

    Raises `UnsupportedOnSimulator` where a real accelerator is in sight (hide it with
    `CUDA_VISIBLE_DEVICES=`), or inside another `accelerator()`.
    """
    if _active:
        raise UnsupportedOnSimulator("the simulated accelerator is already on")
    if torch.cuda.is_available():
        raise UnsupportedOnSimulator("there is a real GPU here (set CUDA_VISIBLE_DEVICES=)")
    prepare()
    ledger = Ledger()
    patches = labels.Patches()
    _active.append(ledger)
    patches.later(_active.clear)
    try:
        with warnings.catch_warnings():
            # "Overriding a previously registered kernel": that is what it is for.
            warnings.simplefilter("ignore")
            library = kernels.install(ledger, autocast.cast_below)
        patches.later(library._destroy)  # noqa: SLF001 - the only way to take kernels back
        labels.put_on(patches, ledger)
        yield ledger
    finally:
        patches.undo()
