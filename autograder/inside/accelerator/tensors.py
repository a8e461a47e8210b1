# ruff: noqa: SLF001 - PyTorch's dispatcher has no public face for this
"""Tensors of a simulated accelerator and the memory behind them.

Theory. PyTorch has a device on which tensors have a shape, a dtype, strides and a storage,
but no memory: `meta`. Views, in-place changes of shape, `.data =`, version counters and the
whole of autograd already work on it, in any build. What is missing is arithmetic. Here each
storage of a meta tensor is given a *block* of ordinary memory, kept on the storage itself so
that it lives exactly as long, and `twin` shows the same bytes as a CPU tensor. `kernels`
computes on twins, `labels` and `torch_cuda` make the whole look like CUDA, `simulation` turns
it on and off.

    student's tensor (meta) --storage--> Block --> CPU storage <-- twin (CPU tensor)
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

import torch

CUDA = torch.device("cuda", 0)
CPU = torch.device("cpu")
META = torch.device("meta")
BLOCK = "_five_beats_block"
GENERATORS: set[int] = set()  # the addresses of the random generators of the device
ROUND = 512  # bytes: PyTorch's caching allocator hands out multiples of this

# The originals, taken before `simulation` puts its own labels over them.
TensorBase = torch._C.TensorBase
# `is_meta` is for kernels, where PyTorch's function modes are off: under a mode the getter
# would look up the label. `on_meta` is right everywhere.
is_meta: Callable[[torch.Tensor], bool] = TensorBase.is_meta.__get__  # type: ignore[attr-defined]


def on_meta(x: torch.Tensor) -> bool:
    """Whether `x` lies on the simulated device, whatever its label says."""
    with torch._C.DisableTorchFunction():
        return is_meta(x)


class UnsupportedOnSimulator(RuntimeError):  # noqa: N818 - it names a limit, not a mistake
    """The simulated accelerator cannot do this; a real one might. Never the student's bug."""


class Ledger:
    """What happened on the device: for `memory_allocated`, and as evidence for a judge.

    `ops` operators ran on it, `moved` times a CPU tensor was copied to it, `mixes` holds the
    messages raised for mixed devices and `unsupported` those for limits of the simulation.
    """

    def __init__(self) -> None:
        self.allocated = self.peak = self.allocations = 0
        self.ops = self.moved = 0
        self.mixes: list[str] = []
        self.unsupported: list[str] = []

    def take(self, size: int) -> None:
        """Count a new block of `size` bytes."""
        self.allocated += size
        self.allocations += 1
        self.peak = max(self.peak, self.allocated)

    def give(self, size: int) -> None:
        """Count a freed block of `size` bytes."""
        self.allocated -= size

    def limit(self, what: str) -> UnsupportedOnSimulator:
        """The exception for something the simulation cannot do, noted down."""
        self.unsupported.append(what)
        return UnsupportedOnSimulator(f"{what} (not possible on the simulated accelerator)")


class Block:
    """The bytes behind one simulated storage, with a flat CPU tensor over them per dtype."""

    __slots__ = ("__weakref__", "bases", "cpu")

    def __init__(self, cpu: torch.UntypedStorage, ledger: Ledger) -> None:
        self.cpu = cpu
        self.bases: dict[torch.dtype, torch.Tensor] = {}
        size = -(-cpu.nbytes() // ROUND) * ROUND
        ledger.take(size)
        weakref.finalize(self, ledger.give, size).atexit = False

    def base(self, dtype: torch.dtype) -> torch.Tensor:
        """All the bytes as one flat tensor of `dtype`."""
        found = self.bases.get(dtype)
        if found is None:
            # Never an inference tensor: the optimizer may write to it later, outside.
            with torch.inference_mode(mode=False):
                found = torch.empty(0, dtype=dtype, device=CPU).set_(self.cpu)
            self.bases[dtype] = found
        return found

    def grow(self, size: int) -> None:
        """Follow a storage that `resize_` has made larger."""
        self.bases.clear()
        self.cpu.resize_(size)


def block_of(storage: torch.UntypedStorage, ledger: Ledger) -> Block:
    """The block of a simulated storage; zeros where nothing was ever written."""
    block: Block | None = storage.__dict__.get(BLOCK)
    size = storage.nbytes()
    if block is None:
        # `empty` promises nothing, but two runs must agree: zeros.
        cpu = torch.zeros(size, dtype=torch.uint8, device=CPU).untyped_storage()
        block = storage.__dict__[BLOCK] = Block(cpu, ledger)
    elif block.cpu.nbytes() < size:
        block.grow(size)
    return block


def twin(x: torch.Tensor, ledger: Ledger) -> torch.Tensor:
    """A CPU tensor over the same bytes as the simulated tensor `x` (no graph, no copy)."""
    base = block_of(x.untyped_storage(), ledger).base(x.dtype)
    seen = base.as_strided(x.size(), x.stride(), x.storage_offset())
    if x.dtype.is_complex and x.is_conj():
        seen = seen.conj()
    return torch._neg_view(seen) if x.is_neg() else seen


def adopt(r: torch.Tensor, ledger: Ledger) -> torch.Tensor:
    """A simulated tensor that takes over the memory of the CPU tensor `r`."""
    if r.layout is not torch.strided or r.is_quantized:
        raise ledger.limit(f"a {r.layout} tensor")
    if r.storage_offset() or r.is_conj() or r.is_neg():
        r = r.resolve_conj().resolve_neg().clone()
    made = torch.empty_strided(r.size(), r.stride(), dtype=r.dtype, device=META)
    made.untyped_storage().__dict__[BLOCK] = Block(r.untyped_storage(), ledger)
    return made


def twin_type(x: torch.Tensor) -> str:
    """`FloatTensor` and its like for the dtype of `x`."""
    return torch.empty(0, dtype=x.dtype, device=CPU).type().rpartition(".")[2]
