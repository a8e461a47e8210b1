# ruff: noqa: SLF001 - PyTorch's dispatcher has no public face for this
"""The kernels of the simulated accelerator, and its rule against mixing devices.

Theory. Every operator's kernel for `meta` is replaced by one that looks at the same bytes as
CPU tensors (`tensors.twin`), runs the CPU's own kernel, and hands the result back as a meta
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

from .tensors import CPU, GENERATORS, META, Ledger, adopt, is_meta, twin, twin_type

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
    return x.type() if not is_meta(x) else "torch.cuda." + twin_type(x)


class Rule:
    """One operator's rule: which CPU tensors it takes beside tensors of the device."""

    def __init__(self, op: Any) -> None:
        schema = op._schema
        self.name: str = schema.name.partition("::")[2]
        self.names = [a.name for a in schema.arguments]
        self.written = {a.name for a in schema.arguments if a.alias_info and a.alias_info.is_write}
        overload = schema.overload_name
        full = f"{schema.name}.{overload}" if overload else schema.name
        has = torch._C._dispatch_has_kernel_for_dispatch_key
        structured = has(full, "CompositeExplicitAutogradNonFunctional")
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
        if indexed and not is_meta(args[0]):
            raise Mixed(
                "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
            )
        if self.name == "convolution" and is_meta(args[0]) != is_meta(args[1]):
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


_LOW = (torch.float16, torch.bfloat16)


def _recast(x: Any, before: Sequence[torch.dtype], after: torch.dtype) -> Any:
    if isinstance(x, torch.Tensor):
        return x.to(after) if x.dtype in before else x
    return type(x)([_recast(y, before, after) for y in x]) if type(x) in (list, tuple) else x


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
    low = [x.dtype for x in args if isinstance(x, torch.Tensor) and x.dtype in _LOW]
    if not low or op._schema.is_mutable:
        raise ledger.limit(f"{op} for these dtypes")
    args = [_recast(a, _LOW, torch.float32) for a in args]
    kwargs = {k: _recast(v, _LOW, torch.float32) for k, v in kwargs.items()}
    return _recast(op(*args, **kwargs), (torch.float32,), low[0])


class Call:
    """One call of a kernel: its arguments on their way down to the CPU, its results back up.

    `strangers` are the CPU tensors among the arguments, with the argument's name; `twins` maps
    a twin's id to the tensor it stands for, and holds the twin so that its id stays its own.
    """

    __slots__ = ("ledger", "strangers", "twins")

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.strangers: list[tuple[str, torch.Tensor]] = []
        self.twins: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def lower(self, x: Any, argument: str) -> Any:
        """An argument for the CPU's kernel."""
        if isinstance(x, torch.Tensor):
            if is_meta(x):
                seen = twin(x, self.ledger)
                self.twins[id(seen)] = (x, seen)
                return seen
            self.strangers.append((argument, x))
        elif type(x) in (list, tuple):
            return [self.lower(y, argument) for y in x]
        return x

    def lift(self, r: Any) -> Any:
        """A fresh result, handed to the device."""
        if isinstance(r, torch.Tensor):
            return adopt(r, self.ledger)
        return type(r)([self.lift(y) for y in r]) if type(r) in (list, tuple) else r

    def original(self, r: Any) -> Any:
        """A result of an operator that writes: the very tensor that was passed in."""
        if isinstance(r, torch.Tensor):
            if id(r) in self.twins:
                return self.twins[id(r)][0]
            return r if any(r is x for _, x in self.strangers) else adopt(r, self.ledger)
        return type(r)([self.original(y) for y in r]) if type(r) in (list, tuple) else r

    def follow_resize(self) -> None:
        """Give a tensor whose twin the kernel has resized (`out=`) the new shape and numbers."""
        for x, seen in self.twins.values():
            if x.size() != seen.size():
                torch.ops.aten.resize_.default(x, seen.size())
                twin(x, self.ledger).copy_(seen)


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
            call = Call(ledger)
            low = [call.lower(a, names[min(i, last)]) for i, a in enumerate(args)]
            named = {k: call.lower(v, k) for k, v in kwargs.items()}
            generator = kwargs.get("generator")
            if generator is not None and generator._cdata not in GENERATORS:
                raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
            named.pop("pin_memory", None)
            target = kwargs.get("device")
            if target is not None:
                named["device"] = CPU
            if call.strangers and target is not None:  # made like, or copied, across devices
                ledger.moved += name == "_to_copy" and target.type != "cpu"
            elif call.strangers:
                try:
                    rule.check(call.strangers, args)
                except Mixed as e:
                    ledger.mixes.append(str(e))
                    raise RuntimeError(str(e)) from None
                ledger.moved += name == "copy_" and is_meta(args[0])
            if mutable:
                result = _run(op, low, named, ledger)
                call.follow_resize()
                return call.original(result)
            result = _run(op, *hook(name, low, named), ledger)
            if target is not None and target.type == "cpu":
                return result
            if on_cpu:
                return tuple(r if i in on_cpu else call.lift(r) for i, r in enumerate(result))
            return call.lift(result)

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
        composed = has(full, "CompositeImplicitAutograd") and not has(full, "CPU")
        if space != "aten" or composed:
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
    # Past `Library.impl`, which refuses kernels that stand before others made in Python.
    register = library.m.impl
    for name, op, rule, native, factory in table():
        kernel = _empty(op) if native else kernel_for(op, rule, ledger, hook)
        if not native:
            register(name, "Meta", kernel, False)  # noqa: FBT003 - takes no names
        if factory:
            register(name, "CUDA", kernel, False)  # noqa: FBT003 - takes no names
    return library


def _empty(op: Any) -> Kernel:
    def kernel(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("pin_memory", None)
        kwargs["device"] = META
        return op(*args, **kwargs)

    return kernel
