# ruff: noqa: SLF001 - PyTorch's dispatcher has no public face for this
"""The kernels of the simulated accelerator, and its rule against mixing devices.

Theory. Every operator's kernel for `meta` is replaced by one that looks at the same bytes as
CPU tensors (`simtensor.twin`), runs the CPU's own kernel, and hands the result back as a meta
tensor. So the numbers are the CPU's, to the bit, and autograd sits above undisturbed. Views
and whatever only reshapes keep PyTorch's own kernels for `meta`.

A CPU tensor that meets a tensor of the device reaches the same kernels, for `meta` outranks
`cpu` in PyTorch's dispatcher. `Rule` then knows what a real GPU takes (a CPU tensor of no
dimensions is a number to a pointwise operator, an index may lie on the CPU) and raises
PyTorch's own words for the rest.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from .simtensor import CPU, GENERATORS, META, Ledger, adopt, on_meta, twin, twin_type

Kernel = Callable[..., Any]

# ---------------------------------------------------------------------------------------------
# The rule against mixing, as a real GPU's kernels have it.

# Operators that may read and write across devices.
ANYWHERE = {"copy_", "_foreach_copy_", "is_same_size", "is_set_to", "_has_same_storage_numel"}
# Beside the pointwise operators, these too accept a CPU tensor of no dimensions as a number.
NUMBERS = {
    "where", "masked_fill", "masked_fill_", "fill", "fill_", "rsub", "floor_divide",
    "floor_divide_", "eq_", "ne_", "lt_", "le_", "gt_", "ge_", "copysign_", "mse_loss",
    "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "dist", "index_fill", "index_fill_", "renorm", "bernoulli", "bernoulli_", "index_put",
    "index_put_", "_index_put_impl_", "_unsafe_index_put",
}  # fmt: skip
# Indexing takes its indices (argument 1) from the CPU too, but not the other way round.
INDEXED = {
    "index", "_unsafe_index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index_put",
}  # fmt: skip
# Lengths of sequences stay on the CPU, and so does what is derived from them.
CPU_ARGUMENTS = {
    "_pack_padded_sequence": {"lengths"},
    "_ctc_loss": {"input_lengths", "target_lengths"},
    "_ctc_loss_backward": {"input_lengths", "target_lengths"},
}
CPU_RESULTS = {"_pack_padded_sequence": {1}}
SAME = "Expected all tensors to be on the same device, but found at least two devices, "


class Mixed(Exception):  # noqa: N818 - internal: carries the message to where it is recorded
    """Tensors of both devices meet where a real GPU would refuse them."""


def _type_name(x: torch.Tensor) -> str:
    return x.type() if not on_meta(x) else "torch.cuda." + twin_type(x)


class Rule:
    """One operator's rule: which CPU tensors it takes beside tensors of the device."""

    def __init__(self, op: Any) -> None:
        schema = op._schema
        self.name: str = schema.name.partition("::")[2]
        self.names = [a.name for a in schema.arguments]
        self.written = {a.name for a in schema.arguments if a.alias_info and a.alias_info.is_write}
        overload = schema.overload_name
        full = f"{schema.name}.{overload}" if overload else schema.name
        structured = torch._C._dispatch_has_kernel_for_dispatch_key(
            full, "CompositeExplicitAutogradNonFunctional"
        )
        # As PyTorch's generated code names the function that compares the devices.
        self.method = "wrapper_CUDA_" + (self.name if structured else f"{overload}_{self.name}")
        if self.name == "embedding":
            self.method = "wrapper_CUDA__index_select"
        foreach = self.name.startswith(("_foreach_", "_fused_", "_amp_"))
        self.pointwise = torch.Tag.pointwise in op.tags
        self.numbers = self.pointwise or foreach or self.name in NUMBERS

    def check(self, strangers: list[tuple[str, torch.Tensor]], args: Sequence[Any]) -> None:
        """Raise `Mixed` if one of `strangers` (argument name, CPU tensor) must not be here."""
        if self.name in ANYWHERE:
            return
        indexed = self.name in INDEXED
        if indexed and not on_meta(args[0]):
            raise Mixed(
                "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
            )
        if self.name == "convolution" and on_meta(args[0]) != on_meta(args[1]):
            raise Mixed(
                f"Input type ({_type_name(args[0])}) and weight type ({_type_name(args[1])}) "
                "should be the same"
            )
        for name, x in strangers:
            if indexed and name == "indices":
                continue
            if name in CPU_ARGUMENTS.get(self.name, ()):
                continue
            if x.dim() == 0 and self.numbers and name not in self.written:
                continue
            if self.name == "embedding":
                name = "index"
            where = f" (when checking argument for argument {name} in method {self.method})"
            raise Mixed(f"{SAME}cuda:0 and cpu!{'' if self.pointwise else where}")


# ---------------------------------------------------------------------------------------------
# Kernels.

Hook = Callable[[str, Sequence[Any], dict[str, Any]], tuple[Sequence[Any], dict[str, Any]]]


def _refuse_worker() -> None:
    if torch.utils.data._utils.worker._worker_info is not None:
        raise RuntimeError(
            "Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, "
            "you must use the 'spawn' start method"
        )


def _run(op: Any, args: Sequence[Any], kwargs: dict[str, Any], ledger: Ledger) -> Any:
    """The CPU's kernel; in float32 and back where the CPU has none for a 16-bit dtype."""
    try:
        return op(*args, **kwargs)
    except NotImplementedError as e:
        if "not implemented for" not in str(e):
            raise ledger.limit(f"{op} has no CPU kernel") from None
    except RuntimeError as e:
        if "not implemented for" not in str(e):
            raise
    low = {torch.float16, torch.bfloat16}
    seen: list[torch.dtype] = []

    def widen(x: Any) -> Any:
        if isinstance(x, torch.Tensor) and x.dtype in low:
            seen.append(x.dtype)
            return x.float()
        return type(x)(map(widen, x)) if type(x) in (list, tuple) else x

    args = [widen(a) for a in args]
    if not seen or op._schema.is_mutable:
        raise ledger.limit(f"{op} for these dtypes")
    result = op(*args, **{k: widen(v) for k, v in kwargs.items()})

    def narrow(x: Any) -> Any:
        if isinstance(x, torch.Tensor) and x.dtype is torch.float32:
            return x.to(seen[0])
        return type(x)(map(narrow, x)) if type(x) in (list, tuple) else x

    return narrow(result)


def kernel_for(op: Any, rule: Rule, ledger: Ledger, hook: Hook) -> Kernel:
    """The kernel of one operator on the simulated device.

    `hook(name, args, kwargs)` may change the CPU arguments before the CPU's kernel sees them.
    """
    names, name = rule.names, rule.name
    mutable = op._schema.is_mutable
    on_cpu = CPU_RESULTS.get(name, set())
    last = len(names) - 1

    def kernel(*args: Any, **kwargs: Any) -> Any:
        with torch._C.DisableTorchFunction():
            _refuse_worker()
            ledger.ops += 1
            strangers: list[tuple[str, torch.Tensor]] = []
            originals: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

            def lower(x: Any, argument: str) -> Any:
                if isinstance(x, torch.Tensor):
                    if on_meta(x):
                        seen = twin(x, ledger)
                        originals[id(seen)] = (x, seen)
                        return seen
                    strangers.append((argument, x))
                elif type(x) in (list, tuple):
                    return [lower(y, argument) for y in x]
                return x

            target = kwargs.get("device")
            plain = target is not None and target.type == "cpu"
            generator = kwargs.get("generator")
            if generator is not None and generator._cdata not in GENERATORS:
                raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
            cpu_args = [lower(a, names[min(i, last)]) for i, a in enumerate(args)]
            cpu_kwargs = {k: lower(v, k) for k, v in kwargs.items()}
            if target is not None:
                cpu_kwargs["device"] = CPU
            cpu_kwargs.pop("pin_memory", None)
            if strangers and target is not None:  # a copy to, or one made like, another device
                ledger.moved += name == "_to_copy" and not plain
            elif strangers:
                try:
                    rule.check(strangers, args)
                except Mixed as e:
                    ledger.mixes.append(str(e))
                    raise RuntimeError(str(e)) from None
                ledger.moved += name == "copy_" and on_meta(args[0])
            if mutable:
                result = _run(op, cpu_args, cpu_kwargs, ledger)
            else:
                result = _run(op, *hook(name, cpu_args, cpu_kwargs), ledger)

            def lift(r: Any) -> Any:
                if isinstance(r, torch.Tensor):
                    if mutable and id(r) in originals:
                        return originals[id(r)][0]
                    if mutable and any(r is s for _, s in strangers):
                        return r
                    return r if plain else adopt(r, ledger)
                return type(r)(map(lift, r)) if type(r) in (list, tuple) else r

            if mutable:
                for x, seen in originals.values():
                    if x.size() != seen.size():  # an `out=` that the kernel has resized
                        torch.ops.aten.resize_.default(x, seen.size())
                        twin(x, ledger).copy_(seen)
            if on_cpu:
                return tuple(r if i in on_cpu else lift(r) for i, r in enumerate(result))
            return lift(result)

    return kernel


# Operators whose own kernels for `meta` are right, because they make or reshape tensors
# without looking at numbers.
NATIVE = {
    "empty.memory_format", "empty_strided", "empty_like", "new_empty", "new_empty_strided",
    "empty_permuted", "_unsafe_view", "lift", "resize_", "_resize_output_", "record_stream",
    "is_same_size", "is_set_to", "is_pinned", "_fw_primal", "_make_dual", "_lazy_clone",
    "_has_same_storage_numel", "_new_zeros_with_same_feature_meta", "sym_size", "dense_dim",
    "sparse_dim", "_assert_tensor_metadata", "resize_as_",
}  # fmt: skip


def _overload(name: str) -> Any | None:
    base, _, overload = name.partition(".")
    packet = getattr(torch.ops.aten, base, None)
    return getattr(packet, overload or "default", None)


class Operator(NamedTuple):
    """One operator of the table: what to register for it, and where."""

    name: str
    op: Any
    rule: Rule
    native: bool  # its own kernel for `meta` stays
    factory: bool  # it makes tensors from nothing, so it is also reached by `device="cuda"`


@functools.cache
def table() -> tuple[Operator, ...]:
    """All operators that need a kernel (0.1 s once; a template may call it before it forks)."""
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    found = []
    for full in torch._C._dispatch_get_all_op_names():
        space, _, name = full.partition("::")
        if space != "aten" or has(full, "CompositeImplicitAutograd"):
            continue
        op = _overload(name)
        if op is None:
            continue
        views = any(r.alias_info and not r.alias_info.is_write for r in op._schema.returns)
        native = name in NATIVE or views or torch.Tag.inplace_view in op.tags
        factory = has(full, "BackendSelect")
        if factory or not native:
            found.append(Operator(name, op, Rule(op), native, factory))
    return tuple(found)


def install(ledger: Ledger, hook: Hook) -> Any:
    """Register every kernel; destroying the library that is returned removes them all."""
    library: Any = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    for name, op, rule, native, factory in table():
        kernel = _empty(op) if native else kernel_for(op, rule, ledger, hook)
        if not native:
            library.impl(name, kernel, "Meta")
        if factory:
            library.impl(name, kernel, "CUDA")
    return library


def _empty(op: Any) -> Kernel:
    def kernel(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("pin_memory", None)
        kwargs["device"] = META
        return op(*args, **kwargs)

    return kernel
