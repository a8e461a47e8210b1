# ruff: noqa: SLF001 - PyTorch's dispatcher has no public face for this
"""`torch.autocast("cuda")` for the simulated accelerator.

Theory. Autocast decides, operator by operator, in which precision to compute: matrix
products in float16 or bfloat16, what sums or exponentiates in float32, the rest as it comes.
PyTorch's own casts look for true CUDA tensors, so the simulated ones would pass by them.
Here the same lists (torch's "CUDA Ops that can autocast to float16 / float32") are applied
to the base operators, at the autograd key of the simulated device: the cast is recorded like
any `.to`, so gradients come back in the parameters' own precision. In inference mode autograd
keys are switched off, and there `cast_below` does the same on the CPU side of the kernel.

What differs from a GPU: casts happen at base operators, so a composite loss such as
`l1_loss` computes in the precision it was given, and casts of weights are not cached.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from .tensors import on_meta

LOWER = {
    "mm", "addmm", "bmm", "baddbmm", "addbmm", "mv", "addmv", "addr", "dot", "vdot",
    "convolution", "_prelu_kernel", "_scaled_dot_product_flash_attention_for_cpu",
}  # fmt: skip
FLOAT32 = {
    "acos", "asin", "cosh", "erfinv", "exp", "expm1", "log", "log10", "log2", "log1p",
    "reciprocal", "rsqrt", "sinh", "tan", "pow", "softplus", "native_layer_norm",
    "native_group_norm", "nll_loss_forward", "nll_loss2d_forward", "smooth_l1_loss",
    "huber_loss", "mse_loss", "multilabel_margin_loss_forward", "soft_margin_loss",
    "multi_margin_loss", "binary_cross_entropy_with_logits", "dist", "_pdist_forward",
    "_cdist_forward", "renorm", "logsumexp", "prod", "_softmax", "_log_softmax", "cumprod",
    "cumsum", "linalg_vector_norm", "sum",
}  # fmt: skip
REFUSED = {"binary_cross_entropy"}
UNSAFE = (
    "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
    "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
    "In this case, combine the two layers using torch.nn.functional.binary_cross_entropy_with_"
    "logits\nor torch.nn.BCEWithLogitsLoss.  binary_cross_entropy_with_logits and "
    "BCEWithLogits are\nsafe to autocast."
)


def _caster(dtype: torch.dtype, wanted: Callable[[torch.Tensor], bool]) -> Callable[[Any], Any]:
    def cast(x: Any) -> Any:
        if isinstance(x, torch.Tensor):
            floating = x.is_floating_point() and x.dtype not in (dtype, torch.float64)
            return x.to(dtype) if floating and wanted(x) else x
        return [cast(y) for y in x] if type(x) in (list, tuple) else x

    return cast


def _policy(name: str, wanted: Callable[[torch.Tensor], bool]) -> Callable[[Any], Any]:
    if name in REFUSED:
        raise RuntimeError(UNSAFE)
    lower = torch.get_autocast_dtype("cuda")
    return _caster(lower if name in LOWER else torch.float32, wanted)


def _kernel(op: Any, name: str) -> Callable[..., Any]:
    # The autograd kernel that this one stands in front of is registered for all backends at once.
    key = torch._C.DispatchKey.Autograd

    def kernel(*args: Any, **kwargs: Any) -> Any:
        if torch.is_autocast_enabled("cuda"):
            with torch._C.DisableTorchFunction():
                cast = _policy(name, on_meta)
                args = tuple(map(cast, args))
                kwargs = {k: cast(v) for k, v in kwargs.items()}
        return op._op_dk(key, *args, **kwargs)

    return kernel


def install(overloads: Sequence[tuple[str, Any]]) -> Any:
    """Register the casts for `overloads` (name, operator); destroying the library undoes it."""
    library: Any = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    for name, op in overloads:
        base = name.partition(".")[0]
        if base in LOWER | FLOAT32 | REFUSED and not op._schema.is_mutable:
            library.impl(name, _kernel(op, base), "AutogradMeta")
    return library


def cast_below(
    name: str, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Sequence[Any], dict[str, Any]]:
    """The same casts on the CPU arguments of a kernel, where autograd is out of the way."""
    if (
        torch.is_autocast_enabled("cuda")
        and torch.is_inference_mode_enabled()
        and name in LOWER | FLOAT32 | REFUSED
    ):
        cast = _policy(name, lambda _: True)
        return [cast(a) for a in args], {k: cast(v) for k, v in kwargs.items()}
    return args, kwargs
