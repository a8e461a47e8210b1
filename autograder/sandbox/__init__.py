"""Boxes: one submission each, used once. `choose` picks the backend."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError, SandboxError
from .auto import strongest
from .base import Box, Sandbox, gpu_devices
from .bubblewrap import Bubblewrap
from .container import Container
from .plain import Plain
from .uid import Uid

__all__ = [
    "NAMES",
    "Box",
    "Bubblewrap",
    "Container",
    "Plain",
    "Sandbox",
    "Uid",
    "choose",
    "gpu_devices",
]

NAMES = ("auto", "bubblewrap", "podman", "docker", "uid", "none")


def choose(name: str, data: Path, secrets: tuple[Path, ...] = (), *, gpu: bool = False) -> Sandbox:
    """The sandbox by its name; `auto` is the strongest that works on this machine.

    `data` is the folder of prepared data roots, `secrets` what no box may read. `auto` never
    falls back to no sandbox: a class is graded in boxes or not at all. `gpu` passes the
    machine's GPU in, which only bubblewrap, podman and docker can. Raises `InputError` for an
    unknown name, `SandboxError` where `auto` finds nothing that works.
    """
    if name == "auto":
        found = strongest()
        if found is None:
            raise SandboxError("no sandbox works on this machine", remedy="run `autograder doctor`")
        name = found
    if gpu and name in ("uid", "none"):
        raise InputError(f"--sandbox {name} passes no GPU in", remedy="use bubblewrap or podman")
    if name == "bubblewrap":
        return Bubblewrap(data, secrets, gpu=gpu)
    if name in ("podman", "docker"):
        return Container(name, gpu=gpu)
    if name == "uid":
        return Uid(secrets)
    if name == "none":
        return Plain()
    raise InputError(f"no sandbox is called '{name}'", remedy=f"use one of: {', '.join(NAMES)}")
