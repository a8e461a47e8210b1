"""A folder of its own for a program that is run once more, and what such runs have in common."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import os
import random
import shutil
import struct
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ..program import Program

SMALL_FILE = 1 << 20
LOADERS = ("loader", "dataloader", "data_loader", "dl", "data", "batches")
EPOCHS = ("epoch", "ep", "e", "i")
ROLES: dict[str, tuple[str, ...]] = {
    "model": ("model", "net", "network", "mlp"),
    "criterion": ("criterion", "loss_fn", "loss_function", "loss_func"),
    "optimizer": ("optimizer", "optim", "opt"),
    "scaler": ("scaler", "grad_scaler"),
    "train_loader": ("train_loader", "trainloader", "train_dataloader", "train_dl"),
    "test_loader": ("test_loader", "testloader", "test_dataloader", "test_dl", "val_loader"),
}
"""Names under which a parameter may stand for one of the handout's globals."""


@contextlib.contextmanager
def own_folder() -> Iterator[None]:
    """Work in a copy of the working folder, without the checkpoints that an earlier run left.

    The data set and large files are linked, everything else is copied: what the program writes into
    a folder of its own, or finds there by a link, is this run's.
    """
    home = os.getcwd()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        _copy(home, folder, inner=False)
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(home)


def _copy(source: str, target: str, *, inner: bool) -> None:
    """Copy one folder for `own_folder`; `inner` where it is below the working folder."""
    for entry in os.scandir(source):
        place = os.path.join(target, entry.name)
        is_data = entry.name == "data" and entry.is_dir()
        if entry.name.endswith((".pt", ".pth")) or (inner and is_data and entry.is_symlink()):
            continue  # such a link was made when the program went there (`tame`), and will be again
        if entry.is_dir(follow_symlinks=False) and not is_data:
            os.mkdir(place)
            _copy(entry.path, place, inner=True)
        elif entry.is_dir() or (entry.is_file() and entry.stat().st_size > SMALL_FILE):
            os.symlink(entry.path, place)
        elif entry.is_file():
            shutil.copyfile(entry.path, place)


@contextlib.contextmanager
def secret_root(folder: str, tensors: dict[str, Tensor]) -> Iterator[None]:
    """Within, the working folder is a copy whose `data/<folder>/raw` holds our images.

    tensors: train_images and test_images (N, 28, 28) uint8, train_labels and test_labels (N,).
    """
    with own_folder():
        if os.path.lexists("data"):
            os.unlink("data")  # a link of `own_folder`, not the data themselves
        raw = os.path.join("data", folder, "raw")
        os.makedirs(raw)
        for part, name in (("train", "train"), ("test", "t10k")):
            for kind, dims in (("images", 3), ("labels", 1)):
                array = tensors[f"{part}_{kind}"].to(torch.uint8).numpy()
                head = struct.pack(f">{1 + dims}I", 0x0800 + dims, *array.shape)
                with open(os.path.join(raw, f"{name}-{kind}-idx{dims}-ubyte"), "wb") as f:
                    f.write(head + array.tobytes())
        yield


def seed_from_outside(seed: int) -> None:
    """Set every generator a program may draw from; what it seeds itself overrides this."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the generator that a program may draw from
    torch.manual_seed(seed)


@contextlib.contextmanager
def short_loaders(batches: int) -> Iterator[None]:
    """Within, an iteration over any DataLoader ends after `batches` batches."""
    original = DataLoader.__iter__

    def shortened(self: Any) -> Iterator[Any]:
        return itertools.islice(original(self), batches)

    DataLoader.__iter__ = shortened  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        DataLoader.__iter__ = original  # type: ignore[method-assign]


def served(program: Program, function: Callable[..., Any], loader: str) -> dict[str, Any]:
    """What a function's parameters without a default stand for, by their names."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    given: dict[str, Any] = {}
    for p in parameters:
        if (
            p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)
            or p.default is not p.empty
        ):
            continue
        lower = p.name.lower()
        if lower in EPOCHS:
            given[p.name] = 0
            continue
        roles = [loader] if lower in LOADERS else [r for r, n in ROLES.items() if lower in n]
        name = next((n for n in (*roles, p.name) if n in program.namespace), None)
        if name is not None:
            given[p.name] = program.namespace[name]
    return given
