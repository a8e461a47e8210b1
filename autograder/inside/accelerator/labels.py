# ruff: noqa: SLF001 - these attributes are PyTorch's own
"""The labels of the simulated accelerator: what a program sees when it looks at a tensor.

Theory. `tensors` makes tensors of PyTorch's `meta` device compute. Here `torch.Tensor` and
the functions that name devices are taught to call that device `cuda:0`: attributes of
`torch.Tensor` are replaced on the class (and so for `nn.Parameter` too), factories that reach
C++ with "cuda" get an index, because PyTorch asks an absent driver for the current one
otherwise. Types stay `torch.Tensor`, and objects keep their identity when they move.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import torch

from . import autocast, kernels, tensors, torch_cuda
from .tensors import BLOCK, CPU, CUDA, META, Block, Ledger, TensorBase, on_meta, twin

_MISSING: Any = object()


class Patches:
    """Attributes that were replaced, and how to put them back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Any]] = []

    def later(self, undo: Callable[[], Any]) -> None:
        """Call `undo` on the way out."""
        self._undo.append(undo)

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Replace `owner.name`; remembers whether it was its own or inherited."""
        before = vars(owner).get(name, _MISSING)
        if before is _MISSING:
            self.later(lambda: delattr(owner, name))
        else:
            self.later(lambda: setattr(owner, name, before))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Put everything back, last first."""
        while self._undo:
            self._undo.pop()()


def is_cuda_device(x: Any) -> bool:
    """Whether an argument names the simulated device ("cuda", "cuda:0", a device, 0)."""
    if isinstance(x, str):
        if x.partition(":")[0] != "cuda":
            return False
        x = torch.device(x)
    elif type(x) is int:
        x = torch.device("cuda", x)
    if not isinstance(x, torch.device) or x.type != "cuda":
        return False
    if x.index not in (None, 0):
        raise RuntimeError(
            "CUDA error: invalid device ordinal\nGPU device may be out of range, do you have "
            "enough GPUs?"
        )
    return True


# ---------------------------------------------------------------------------------------------
# torch.Tensor


def _tensor_patches(patches: Patches, ledger: Ledger) -> None:
    tensor = torch.Tensor
    base: Any = TensorBase
    original = {
        name: getattr(tensor, name)
        for name in ("to", "numpy", "type", "__reduce_ex__", "data_ptr", "get_device",
                     "tolist", "is_pinned", "new_tensor")
    }  # fmt: skip

    def plain(x: torch.Tensor) -> torch.Tensor:
        with torch._C.DisableTorchFunction():
            return twin(x.detach(), ledger)

    def device(self: torch.Tensor) -> torch.device:
        return CUDA if on_meta(self) else base.device.__get__(self)

    def to(self: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if args and is_cuda_device(args[0]):
            args = (META, *args[1:])
        elif is_cuda_device(kwargs.get("device")):
            kwargs["device"] = META
        return original["to"](self, *args, **kwargs)  # type: ignore[no-any-return]

    def cuda(
        self: torch.Tensor, device: Any = None, non_blocking: bool = False, **kwargs: Any
    ) -> torch.Tensor:
        if device is not None and not is_cuda_device(device):
            raise ValueError(f"Invalid device, must be cuda device: {device}")
        return original["to"](self, META, **kwargs)  # type: ignore[no-any-return]

    def set_data(self: torch.Tensor, value: torch.Tensor) -> None:
        if on_meta(self) == on_meta(value):
            base.data.__set__(self, value)
            return
        # On a GPU the tensor stays the same object and moves; so that an optimizer that was
        # built before `model.to(device)` goes on holding the model's parameters.
        moved = value.detach().requires_grad_(self.requires_grad)
        grad = self.grad if self.is_leaf else None
        if grad is not None:
            self.grad = None
            grad.data = grad.to(META if on_meta(value) else CPU)
            moved.grad = grad
        torch._C._swap_tensor_impl(self, moved)

    def set_grad(self: torch.Tensor, value: Any) -> None:
        if isinstance(value, torch.Tensor) and on_meta(self) != on_meta(value):
            raise RuntimeError(
                f"attempting to assign a gradient with device type '{value.device.type}' to a "
                f"tensor with device type '{self.device.type}'. Please ensure that the gradient "
                "and the tensor are on the same device"
            )
        base.grad.__set__(self, value)

    def copied(self: torch.Tensor) -> Any:
        if on_meta(self):
            return self.detach().requires_grad_(self.requires_grad)
        function, arguments, *rest = original["__reduce_ex__"](self, 4)
        made = function(*arguments)
        if rest and rest[0]:
            made.__setstate__(rest[0])
        return made

    def numpy(self: torch.Tensor, *, force: bool = False) -> Any:
        if on_meta(self):
            if not force:
                raise TypeError(
                    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy "
                    "the tensor to host memory first."
                )
            self = self.detach().cpu()
        return original["numpy"](self, force=force)

    def type_of(self: torch.Tensor, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(dtype, str) and dtype.startswith("torch.cuda."):
            like = torch.empty(0).type(dtype.replace("torch.cuda.", "torch."))
            return self.to(CUDA, like.dtype)
        if on_meta(self) and dtype is None:
            return f"torch.cuda.{tensors.twin_type(self)}"
        if on_meta(self) and isinstance(dtype, str):
            return self.cpu().type(dtype)
        return original["type"](self, dtype, *args, **kwargs)

    def reduce_ex(self: torch.Tensor, protocol: Any) -> Any:
        if on_meta(self):
            self = plain(self).requires_grad_(self.requires_grad)
        return original["__reduce_ex__"](self, protocol)

    def pin_memory(self: torch.Tensor, device: Any = None) -> torch.Tensor:
        if on_meta(self):
            raise RuntimeError(
                f"cannot pin 'torch.cuda.{tensors.twin_type(self)}' only dense CPU tensors can "
                "be pinned"
            )
        pinned = self if self.is_pinned() else self.clone()
        return torch_cuda.mark_pinned(pinned)

    def of_meta(name: str, answer: Callable[[torch.Tensor], Any]) -> Callable[..., Any]:
        def method(self: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            return answer(self) if on_meta(self) else original[name](self, *args, **kwargs)

        return method

    def new_tensor(self: torch.Tensor, data: Any, **kwargs: Any) -> torch.Tensor:
        kwargs.setdefault("dtype", self.dtype)
        where = kwargs.pop("device", None)
        where = self.device if where is None else where
        target = META if is_cuda_device(where) else where
        grad = kwargs.pop("requires_grad", False)
        like = plain(self) if on_meta(self) else self
        made: torch.Tensor = original["to"](original["new_tensor"](like, data, **kwargs), target)
        return made.requires_grad_(grad)

    for name, value in {
        "device": property(device),
        "is_cuda": property(on_meta),
        "is_meta": property(lambda self: False),
        "data": property(base.data.__get__, set_data),
        "grad": property(base.grad.__get__, set_grad, base.grad.__delete__),
        "__copy__": copied,
        "to": to,
        "cuda": cuda,
        "numpy": numpy,
        "type": type_of,
        "__reduce_ex__": reduce_ex,
        "pin_memory": pin_memory,
        "is_pinned": lambda self, device=None: torch_cuda.is_pinned(self),
        "new_tensor": new_tensor,
        "record_stream": lambda self, stream: None,
        "data_ptr": of_meta("data_ptr", lambda x: plain(x).data_ptr()),
        "get_device": of_meta("get_device", lambda x: 0),
        "tolist": of_meta("tolist", lambda x: x.cpu().tolist()),
    }.items():
        patches.set(tensor, name, value)


# ---------------------------------------------------------------------------------------------
# Functions of torch


def _factory(original: Callable[..., Any]) -> Callable[..., Any]:
    """Factories of torch: an index for the device, and pinned memory that is only a mark."""

    def factory(*args: Any, **kwargs: Any) -> Any:
        if "device" in kwargs and is_cuda_device(kwargs["device"]):
            kwargs["device"] = CUDA
        if kwargs.get("pin_memory"):
            del kwargs["pin_memory"]
            return torch_cuda.mark_pinned(original(*args, **kwargs))
        return original(*args, **kwargs)

    factory.__name__ = original.__name__
    return factory


def _torch_patches(patches: Patches, ledger: Ledger) -> None:
    _default_device_patches(patches)  # first: torch's set of factories must hold the originals
    for name in ("tensor", "as_tensor", "asarray", "empty", "zeros", "ones", "rand", "randn",
                 "full", "randint", "empty_like", "zeros_like", "ones_like", "full_like",
                 "arange"):  # fmt: skip
        patches.set(torch, name, _factory(getattr(torch, name)))

    parse_to = torch._C._nn._parse_to

    def parse(*args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) is int:
            args = (CUDA, *args[1:]) if is_cuda_device(args[0]) else args
        elif type(kwargs.get("device")) is int and is_cuda_device(kwargs["device"]):
            kwargs["device"] = CUDA
        return parse_to(*args, **kwargs)

    patches.set(torch._C._nn, "_parse_to", parse)
    compatible = torch._has_compatible_shallow_copy_type
    patches.set(
        torch,
        "_has_compatible_shallow_copy_type",
        lambda a, b: on_meta(a) != on_meta(b) or compatible(a, b),
    )
    group = torch._C._group_tensors_by_device_and_dtype

    def grouped(*args: Any, **kwargs: Any) -> Any:
        found = group(*args, **kwargs)
        return {(CUDA if d.type == "meta" else d, t): v for (d, t), v in found.items()}

    patches.set(torch._C, "_group_tensors_by_device_and_dtype", grouped)
    # The optimizers' loops over single tensors, as on the CPU: the same numbers to the bit.
    optimizer = importlib.import_module("torch.optim.optimizer")  # no attribute of torch.optim
    patches.set(optimizer, "_get_foreach_kernels_supported_devices", list)
    for name in ("rnn_tanh", "rnn_relu", "lstm", "gru", "rnn_tanh_cell", "rnn_relu_cell",
                 "lstm_cell", "gru_cell"):  # fmt: skip
        patches.set(torch._VF, name, _relabelled(getattr(torch._VF, name), ledger))
    # Else a recurrent layer warns that this build has no cuDNN for its CUDA weights.
    patches.set(torch.backends.cudnn, "is_acceptable", lambda tensor: False)
    patches.set(torch, "Generator", torch_cuda.make_generator_class(torch.Generator))
    _storage_patches(patches, ledger)
    _autocast_patches(patches)
    _compile_patches(patches)


def _relabelled(original: Callable[..., Any], ledger: Ledger) -> Callable[..., Any]:
    """Recurrent layers compare devices in C++ and name them: name ours as a GPU would."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except RuntimeError as e:
            if "are not at the same device" not in str(e):
                raise
            message = str(e).replace("meta", "cuda:0")
            ledger.mixes.append(message)
            raise RuntimeError(message) from None

    return call


def _storage_patches(patches: Patches, ledger: Ledger) -> None:
    def storage_over(cpu: Any) -> Any:
        made = torch.empty(cpu.nbytes(), dtype=torch.uint8, device=META).untyped_storage()
        made.__dict__[BLOCK] = Block(cpu, ledger)
        return made

    def deserialize(storage: Any, location: str) -> Any:
        if not is_cuda_device(location):
            return None
        return storage_over(storage)

    registry = torch.serialization._package_registry
    patches.set(
        torch.serialization,
        "_package_registry",
        [(15, lambda storage: None, deserialize), *registry],
    )

    clone: Any = torch.UntypedStorage.clone

    def cloned(self: Any) -> Any:
        if self.device.type != "meta":
            return clone(self)
        return storage_over(clone(tensors.block_of(self, ledger).cpu))

    patches.set(torch.UntypedStorage, "clone", cloned)


def _default_device_patches(patches: Patches) -> None:
    from torch.utils import _device

    _device._device_constructors()
    init = _device.DeviceContext.__init__

    def with_index(self: Any, device: Any) -> None:
        init(self, CUDA if is_cuda_device(device) else device)

    patches.set(_device.DeviceContext, "__init__", with_index)


def _autocast_patches(patches: Patches) -> None:
    enter: Any = torch.autocast.__enter__
    installed: list[Any] = []

    def entered(self: Any) -> Any:
        if self.device == "cuda" and not installed:  # most programs never come here
            installed.append(autocast.install([(o.name, o.op) for o in kernels.table()]))
        return enter(self)

    patches.set(torch.autocast, "__enter__", entered)
    patches.later(lambda: [library._destroy() for library in installed])


def _compile_patches(patches: Patches) -> None:
    compile_ = torch.compile

    def eager(*args: Any, **kwargs: Any) -> Any:
        # The same wrapping (`_orig_mod`), no code generation: it would want a GPU's compiler.
        torch.compiler.set_stance("force_eager")
        patches.later(lambda: torch.compiler.set_stance("default"))
        for name in ("mode", "options"):
            kwargs.pop(name, None)
        kwargs["backend"] = "eager"
        return compile_(*args, **kwargs)

    patches.set(torch, "compile", eager)


def put_on(patches: Patches, ledger: Ledger) -> None:
    """Label the simulated device as CUDA everywhere; `patches.undo()` takes it back."""
    for name, value in torch_cuda.cuda_functions(ledger).items():
        patches.set(torch.cuda, name, value)
    if hasattr(torch, "accelerator"):
        for name, value in torch_cuda.accelerator_functions(ledger).items():
            patches.set(torch.accelerator, name, value)
    _tensor_patches(patches, ledger)
    _torch_patches(patches, ledger)
