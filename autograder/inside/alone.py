"""A process group of one, on a machine without a network.

A program written for many machines runs on one as a group of one process. PyTorch sets even that
up over a socket, which a box has none of. For such a group a store within the process does the
same, and a backend whose collectives hand a lone process back what it gave. A larger group fails,
as it does wherever there is no network.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch.futures import Future
from torch.utils._pytree import tree_leaves

NAME = "alone"
KEPT = ("allreduce", "allreduce_coalesced", "broadcast", "reduce", "barrier")
"""Collectives that leave a lone process's tensors as they are."""
COPIED = (
    "allgather", "gather", "scatter", "reduce_scatter", "alltoall",
    "_allgather_base", "_reduce_scatter_base", "alltoall_base",
    "all_gather_single", "reduce_scatter_single", "all_to_all_single",
    "allgather_into_tensor_coalesced", "reduce_scatter_tensor_coalesced",
    "all_gather_single_coalesced", "reduce_scatter_single_coalesced",
)  # fmt: skip
"""Those that fill the first argument with the second, under the names of several versions."""


def provide() -> None:
    """From now on a group of one process is made without a network."""
    if not (dist.is_available() and dist.is_gloo_available()):
        return
    from torch._C import _distributed_c10d

    # its own package names a function so
    rendezvous: Any = importlib.import_module("torch.distributed.rendezvous")
    c10d: Any = importlib.import_module("torch.distributed.distributed_c10d")
    socketed, making = rendezvous.TCPStore, c10d._new_process_group_helper  # noqa: SLF001

    def store(host_name: str, port: int, world_size: int | None = None, **rest: Any) -> Any:
        if world_size == 1:
            return _distributed_c10d.HashStore()
        return socketed(host_name, port, world_size, **rest)

    @functools.wraps(making)
    def make(size: int, rank: int, ranks: Any, backend: Any, *rest: Any, **named: Any) -> Any:
        devices = c10d.BackendConfig(backend).get_device_backend_map()
        if size != 1 or devices.get("cpu") != dist.Backend.GLOO:
            return making(size, rank, ranks, backend, *rest, **named)
        if NAME.upper() not in dist.Backend._plugins:  # noqa: SLF001
            dist.Backend.register_backend(NAME, _group(_distributed_c10d), devices=["cpu"])
        made, kept = making(size, rank, ranks, dist.Backend(NAME), *rest, **named)
        world = c10d._world  # noqa: SLF001 - where a group is asked for its backend's name
        if made in world.pg_map:
            world.pg_map[made] = backend, world.pg_map[made][1]
            world.pg_backend_config[made] = str(c10d.BackendConfig(backend))
        return made, kept

    c10d._new_process_group_helper = make  # noqa: SLF001
    rendezvous.TCPStore = store


def _group(c10d: Any) -> Callable[..., Any]:
    """What makes a group of one."""

    def done(result: Any) -> Any:
        future: Future[Any] = Future()
        future.set_result(result)
        return c10d._create_work_from_future(future)  # noqa: SLF001

    def kept(group: Any, tensors: Any = None, *options: Any, **named: Any) -> Any:
        return done(tensors)

    def copied(group: Any, filled: Any, given: Any, *options: Any, **named: Any) -> Any:
        with torch.no_grad():
            for a, b in zip(tree_leaves(filled), tree_leaves(given), strict=True):
                a.view_as(b).copy_(b)
        return done(filled)

    def waited(group: Any, *options: Any, **named: Any) -> None:
        """A barrier at which nobody else is waited for."""

    methods = {**dict.fromkeys(KEPT, kept), **dict.fromkeys(COPIED, copied)}
    kind: Any = type("Alone", (dist.ProcessGroup,), {**methods, "monitored_barrier": waited})

    def make(store: Any, rank: int, size: int, timeout: Any) -> Any:
        return kind(rank, size)

    return make
