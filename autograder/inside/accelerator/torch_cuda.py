# ruff: noqa: SLF001 - these attributes are PyTorch's own
"""`torch.cuda` and `torch.accelerator` as they are where there is one GPU.

Theory. What a training program asks of these modules is small: is there a device, which one,
how much memory is in use, wait for it, seed it, time it. Those are answered; every other
public function of the two modules raises `UnsupportedOnSimulator`, so that nothing falls
through to a driver that is not there. Work on the simulated device is done when a call
returns, so streams and synchronisation have nothing to do. Seeding the device does nothing:
its kernels draw from the CPU's generator, which is what makes the numbers those of the CPU.
"""

from __future__ import annotations

import contextlib
import time
import types
import weakref
from collections.abc import Callable
from typing import Any, Self

import torch

from .tensors import CUDA, GENERATORS, Ledger, on_meta

NAME = "Simulated CUDA device"
MEMORY = 16 * 2**30
PINNED = "_five_beats_pinned"


def mark_pinned(x: torch.Tensor) -> torch.Tensor:
    """Remember that the program asked for `x` to be in pinned memory."""
    setattr(x, PINNED, True)
    return x


def is_pinned(x: torch.Tensor) -> bool:
    """Whether the program asked for `x` to be pinned; never of a tensor of the device."""
    return not on_meta(x) and bool(getattr(x, PINNED, False))


class Stream:
    """A queue of work that is always empty."""

    device = CUDA
    device_index = 0
    device_type = 1
    stream_id = cuda_stream = 0

    def __init__(self, device: Any = None, priority: int = 0, **kwargs: Any) -> None:
        self.priority = priority

    def synchronize(self) -> None:
        """Nothing is pending."""

    def query(self) -> bool:
        """Everything is done."""
        return True

    def is_capturing(self) -> bool:
        """No graph is being captured."""
        return False

    def wait_stream(self, stream: Any) -> None:
        """Nothing to wait for."""

    def wait_event(self, event: Any) -> None:
        """Nothing to wait for."""

    def record_event(self, event: Event | None = None) -> Event:
        """Record `event`, or a new one, now."""
        event = Event() if event is None else event
        event.record()
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        return None


class Event:
    """A moment on the device; `elapsed_time` in milliseconds, as on a GPU."""

    def __init__(self, enable_timing: bool = False, **kwargs: Any) -> None:
        self.enable_timing = enable_timing
        self._at: float | None = None

    def record(self, stream: Any = None) -> None:
        """Take the time."""
        self._at = time.perf_counter()

    def synchronize(self) -> None:
        """Nothing is pending."""

    def wait(self, stream: Any = None) -> None:
        """Nothing to wait for."""

    def query(self) -> bool:
        """Everything is done."""
        return True

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds from this event to `end`; both must time and have been recorded."""
        if not (self.enable_timing and end.enable_timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if self._at is None or end._at is None:
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        return (end._at - self._at) * 1e3


def make_generator_class(original: Any) -> Any:
    """`torch.Generator` that also makes generators of the device (over a CPU generator)."""

    class OnDevice(original):  # type: ignore[misc]
        def __new__(cls) -> Any:
            made = original.__new__(cls, "cpu")
            GENERATORS.add(made._cdata)  # kernels get another object for the same generator
            weakref.finalize(made, GENERATORS.discard, made._cdata).atexit = False
            return made

        @property
        def device(self) -> torch.device:
            return CUDA

    class Meta(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original)

    class Generator(metaclass=Meta):
        def __new__(cls, device: Any = "cpu") -> Any:
            kind = torch.device("cuda" if type(device) is int else device).type
            return OnDevice() if kind == "cuda" else original(device)

    return Generator


def _properties() -> types.SimpleNamespace:
    return types.SimpleNamespace(
        name=NAME, major=8, minor=0, total_memory=MEMORY, multi_processor_count=108,
        is_integrated=0, is_multi_gpu_board=0, warp_size=32, gcnArchName="",
        max_threads_per_multi_processor=2048, regs_per_multiprocessor=65536,
    )  # fmt: skip


def _memory(ledger: Ledger) -> dict[str, Any]:
    def forget_peak(device: Any = None) -> None:
        ledger.peak = ledger.allocated

    return {
        "memory_allocated": lambda device=None: ledger.allocated,
        "max_memory_allocated": lambda device=None: ledger.peak,
        "memory_reserved": lambda device=None: ledger.allocated,
        "max_memory_reserved": lambda device=None: ledger.peak,
        "reset_peak_memory_stats": forget_peak,
        "reset_accumulated_memory_stats": lambda device=None: None,
        "memory_stats": lambda device=None: {
            "allocated_bytes.all.current": ledger.allocated,
            "allocated_bytes.all.peak": ledger.peak,
            "allocation.all.allocated": ledger.allocations,
        },
        "empty_cache": lambda: None,
    }


def _check_index(device: Any) -> int:
    if device is not None and not isinstance(device, int):
        device = torch.device(device).index
    if device not in (None, 0, -1):
        raise RuntimeError("CUDA error: invalid device ordinal")
    return 0


def _unsupported(name: str, ledger: Ledger) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        raise ledger.limit(name)

    call.__name__ = name.rpartition(".")[2]
    return call


def cuda_functions(ledger: Ledger) -> dict[str, Any]:
    """What replaces the attributes of `torch.cuda`."""
    memory = _memory(ledger)
    answers: dict[str, Any] = {
        **memory,
        "memory_cached": memory["memory_reserved"],
        "max_memory_cached": memory["max_memory_reserved"],
        "reset_max_memory_allocated": memory["reset_peak_memory_stats"],
        "reset_max_memory_cached": memory["reset_peak_memory_stats"],
        "mem_get_info": lambda device=None: (MEMORY - ledger.allocated, MEMORY),
        "memory_summary": lambda device=None, abbreviated=False: (
            f"{NAME}: {ledger.allocated} bytes allocated, {ledger.peak} at the peak"
        ),
        "ipc_collect": lambda: None,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "init": lambda: None,
        "_lazy_init": lambda: None,
        "_is_in_bad_fork": lambda: False,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda device: _check_index(device) and None,
        "synchronize": lambda device=None: None,
        "get_device_name": lambda device=None: NAME,
        "get_device_capability": lambda device=None: (8, 0),
        "get_device_properties": lambda device=None: _properties(),
        "get_arch_list": lambda: ["sm_80"],
        "is_bf16_supported": lambda including_emulation=True: True,
        "is_tf32_supported": lambda: True,
        "is_current_stream_capturing": lambda: False,
        "manual_seed": lambda seed: None,
        "manual_seed_all": lambda seed: None,
        "seed": lambda: None,
        "seed_all": lambda: None,
        "initial_seed": torch.initial_seed,
        "get_rng_state": lambda device="cuda": torch.get_rng_state(),
        "set_rng_state": lambda state, device="cuda": torch.set_rng_state(state.cpu()),
        "get_rng_state_all": lambda: [torch.get_rng_state()],
        "set_rng_state_all": lambda states: torch.set_rng_state(states[0].cpu()),
        "set_per_process_memory_fraction": lambda fraction, device=None: None,
        "Stream": Stream,
        "Event": Event,
        "stream": contextlib.nullcontext,
        "current_stream": lambda device=None: Stream(),
        "default_stream": lambda device=None: Stream(),
        "set_stream": lambda stream: None,
        "device": lambda device: contextlib.nullcontext(_check_index(device)),
        "device_of": lambda obj: contextlib.nullcontext(),
        "utilization": lambda device=None: 0,
    }
    for name in torch.cuda.__all__:
        value = getattr(torch.cuda, name, None)
        if name not in answers and isinstance(value, types.FunctionType):
            answers[name] = _unsupported(f"torch.cuda.{name}", ledger)
    for name in ("CUDAGraph", "graph", "MemPool", "ExternalStream"):
        if hasattr(torch.cuda, name):
            answers[name] = _unsupported(f"torch.cuda.{name}", ledger)
    return answers


def accelerator_functions(ledger: Ledger) -> dict[str, Any]:
    """What replaces the attributes of `torch.accelerator`, where this torch has them."""
    answers: dict[str, Any] = {
        **_memory(ledger),
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_accelerator": lambda check_available=False: torch.device("cuda"),
        "current_device_index": lambda: 0,
        "current_device_idx": lambda: 0,
        "set_device_index": lambda device: _check_index(device) and None,
        "set_device_idx": lambda device: _check_index(device) and None,
        "device_index": lambda device: contextlib.nullcontext(),
        "synchronize": lambda device=None: None,
        "current_stream": lambda device=None: Stream(),
        "set_stream": lambda stream: None,
        "get_device_capability": lambda device=None: {},
        "get_memory_info": lambda device=None: (MEMORY - ledger.allocated, MEMORY),
        "empty_host_cache": lambda: None,
    }
    module = torch.accelerator
    for name in module.__all__:
        if name not in answers and isinstance(getattr(module, name, None), types.FunctionType):
            answers[name] = _unsupported(f"torch.accelerator.{name}", ledger)
    return {name: value for name, value in answers.items() if hasattr(module, name)}
