"""A network as a list of elementary operations, run here on images that the box never sees.

Theory. The box writes down by which operations a network answers, and with which numbers (see
`inside/operations.py`). Here they are run again in float64, and only those of `OPERATIONS`:
products and sums, the usual bends, normalisation by stored statistics, and changes of shape. With
them any network of a lesson can be said, however it was written (layers of one's own,
`x @ W` or `W @ x.T`, weights that are normalised or averaged), and nothing that looks an image up:
there is no comparison with kept images, no largest of many, no index, and no more numbers than a
network has. What is told in another way is none of them, and `Unknown`.

The list is untrusted. Each operation is first tried on shapes alone, and one that would make more
numbers, or need more work, than a network does is `Unknown`, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...model import Evidence
from .network import Floats

ENTRIES_CAP, DEPTH_CAP = 400, 4
WIDTH_CAP = 20_000
"""Numbers that a result may have for each image: 25 times what an image has."""
WORK_CAP = 4
"""How often, for each image, each number of the network may be multiplied."""


class Unknown(Exception):  # noqa: N818 - an answer about a network, not an error
    """It cannot be said here what the network computes, and why, in a few words."""


def _same(x: Tensor) -> Tensor:
    return x


def _batch_norm(x: Tensor, w: Any, b: Any, mean: Any, var: Any, *rest: Any) -> Tensor:
    return F.batch_norm(x, mean, var, w, b, training=False, eps=float(rest[-1]))


def _stored_batch_norm(
    x: Tensor, w: Any, b: Any, mean: Any, var: Any, training: Any, momentum: Any, eps: Any
) -> Tensor:
    if training is not False:
        raise Unknown("it normalises by the batch that it is asked about")
    return _batch_norm(x, w, b, mean, var, eps)


def _layer_norm(x: Tensor, shape: Any, w: Any, b: Any, eps: Any) -> Tensor:
    return F.layer_norm(x, shape, w, b, float(eps))


def _threshold(x: Tensor, below: Any, value: Any) -> Tensor:
    return torch.where(x > below, x, torch.full_like(x, float(value)))


Function = Callable[..., Tensor]
_PLAIN: Mapping[str, Function] = {
    # products and sums
    "addmm.default": torch.addmm,
    "mm.default": torch.mm,
    "bmm.default": torch.bmm,
    "baddbmm.default": torch.baddbmm,
    "mv.default": torch.mv,
    "convolution.default": torch.convolution,
    "add.Tensor": torch.add,
    "add.Scalar": torch.add,
    "sub.Tensor": torch.sub,
    "sub.Scalar": torch.sub,
    "rsub.Scalar": torch.rsub,
    "rsub.Tensor": torch.rsub,
    "mul.Tensor": torch.mul,
    "mul.Scalar": torch.mul,
    "div.Tensor": torch.div,
    "div.Scalar": torch.div,
    "neg.default": torch.neg,
    # bends
    "relu.default": torch.relu,
    "clamp_min.default": torch.clamp_min,
    "clamp_min.Tensor": torch.clamp_min,
    "clamp.default": torch.clamp,
    "hardtanh.default": F.hardtanh,
    "threshold.default": _threshold,
    "maximum.default": torch.maximum,
    "abs.default": torch.abs,
    "gt.Scalar": torch.gt,
    "ge.Scalar": torch.ge,
    "lt.Scalar": torch.lt,
    "le.Scalar": torch.le,
    "where.self": torch.where,
    "masked_fill.Scalar": torch.masked_fill,
    "leaky_relu.default": F.leaky_relu,
    "elu.default": torch.ops.aten.elu.default,
    "gelu.default": torch.ops.aten.gelu.default,
    "silu.default": F.silu,
    "softplus.default": F.softplus,
    "tanh.default": torch.tanh,
    "sigmoid.default": torch.sigmoid,
    # normalisation
    "native_batch_norm.default": _stored_batch_norm,
    "_native_batch_norm_legit.default": _stored_batch_norm,
    "_native_batch_norm_legit_no_training.default": _batch_norm,
    "native_layer_norm.default": _layer_norm,
    # shapes and types
    "view.default": torch.reshape,
    "_unsafe_view.default": torch.reshape,
    "reshape.default": torch.reshape,
    "_reshape_alias.default": lambda x, shape, *_: x.reshape(shape),
    "t.default": torch.t,
    "transpose.int": torch.transpose,
    "permute.default": torch.permute,
    "unsqueeze.default": torch.unsqueeze,
    "squeeze.default": torch.squeeze,
    "squeeze.dim": torch.squeeze,
    "squeeze.dims": torch.squeeze,
    "expand.default": lambda x, shape, **_: x.expand(shape),
    "clone.default": _same,
    "alias.default": _same,
    "detach.default": _same,
    "_to_copy.default": lambda x: x.double(),
    "contiguous.default": _same,
    "lift_fresh.default": _same,
}
HEADS: Mapping[str, Function] = {
    "_log_softmax.default": lambda x, dim, half: torch.log_softmax(x, dim),
    "_softmax.default": lambda x, dim, half: torch.softmax(x, dim),
}
"""What a result may go through behind the last product; before one it would weigh kept images."""
BY_HAND: Mapping[str, Function] = {
    "logsumexp.default": torch.logsumexp,
    "exp.default": torch.exp,
    "log.default": torch.log,
    "sum.dim_IntList": lambda x, dim, keep=False, **_: x.sum(dim, keep),
    "amax.default": torch.amax,
}
"""Of what a softmax is made. They too stand behind the last product, and take no more numbers of an
image than the answer has: else they would add up what kept images weigh, class by class."""
_PRODUCTS = {"addmm", "mm", "bmm", "baddbmm", "mv", "convolution"}
OPERATIONS: Mapping[str, Function] = MappingProxyType({**_PLAIN, **HEADS, **BY_HAND})
_TOLD = "what the box told of it is no list of operations"
_OF_ONE = {"clone.default", "alias.default", "detach.default", "contiguous.default"}
_OF_ONE |= {"_to_copy.default", "lift_fresh.default"}
_NAMED = {"alpha", "beta", "min", "max", "approximate", "negative_slope"}
"""Named arguments on which the numbers of a result may hang."""


@dataclass(frozen=True, eq=False)
class Network:
    """What a box wrote down: `entries` as (operation, positional, named), the `constants`, and
    which result is the `answer`; `reduced`: the box computed some of it in 16 bits.
    """

    entries: Sequence[tuple[str, Sequence[Any], Mapping[str, Any]]]
    constants: Sequence[Tensor]
    answer: int
    reduced: bool

    @property
    def numbers(self) -> int:
        return sum(c.numel() for c in self.constants)

    def answers(self, samples: Floats) -> Floats:
        """What it answers (N, classes) to samples (N, ...). Raises `Unknown`."""
        given = torch.from_numpy(samples)
        try:
            self._run(given.to("meta"), [c.to("meta") for c in self.constants])
            with torch.no_grad():
                found = self._run(given, self.constants)
        except Unknown:
            raise
        except Exception as e:  # operations that do not fit together: whatever torch raises
            raise Unknown(f"its operations do not fit together: {type(e).__name__}") from e
        return found.double().numpy()

    def _run(self, given: Tensor, constants: Sequence[Tensor]) -> Tensor:
        count = len(given)
        results, work = [given], 0.0
        headed: set[int] = set()
        most = 0
        for name, positional, named in self.entries:
            used: set[int] = set()

            def value(told: Any, used: set[int] = used) -> Any:
                if isinstance(told, list):
                    return [value(t) for t in told]
                if not isinstance(told, dict):
                    return told
                if "n" in told:
                    return count
                if "c" in told:
                    return constants[told["c"]]
                used.add(told["r"])
                return results[told["r"]]

            args, kwargs = [value(a) for a in positional], {k: value(v) for k, v in named.items()}
            kind = name.partition(".")[0]
            if kind in _PRODUCTS and used & headed:
                raise Unknown("it multiplies what came out of a softmax")
            made = OPERATIONS[name](*args, **kwargs)
            if name in HEADS or name in BY_HAND or used & headed:
                headed.add(len(results))
            if name in BY_HAND:
                most = max(most, args[0].numel())
            if given.is_meta:
                work += made.numel() * (_inner(kind, args) if kind in _PRODUCTS else 1)
                wide = made.numel() > WIDTH_CAP * count
                if wide or work > count * (WORK_CAP * self.numbers + WIDTH_CAP):
                    raise Unknown("it computes more than a network of its size")
            results.append(made)
        if most > results[self.answer].numel():
            raise Unknown("it sums more numbers than it has answers")
        return results[self.answer]


def _inner(kind: str, args: Sequence[Any]) -> int:
    """How many products each number of a result is the sum of."""
    if kind == "convolution":
        return math.prod(args[1].shape[1:])
    return int(args[1 if kind in ("addmm", "baddbmm") else 0].shape[-1])


def read_network(evidence: Evidence, most: int) -> Network:
    """The network that a box wrote down, of at most so many numbers. Raises `Unknown`."""
    entries, answer = evidence.data.get("operations"), evidence.data.get("answer")
    if not isinstance(entries, list) or not 0 < len(entries) <= ENTRIES_CAP:
        raise Unknown("its answer is not made of the images by operations of PyTorch's")
    constants: list[Tensor] = []
    while (found := evidence.tensors.get(f"c{len(constants)}")) is not None:
        if found.dtype.kind not in "fiub":
            raise Unknown(_TOLD)
        constants.append(torch.from_numpy(np.array(found, dtype=np.float64)))
        if sum(c.numel() for c in constants) > most:
            raise Unknown(f"it holds more than {most:,} numbers")
    read = []
    for i, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise Unknown(_TOLD)
        name, args, kwargs = (entry.get(k) for k in ("op", "args", "kwargs"))
        if not isinstance(name, str) or not isinstance(args, list) or not isinstance(kwargs, dict):
            raise Unknown(_TOLD)
        kind, _, overload = name.partition(".")
        plain = name if name in OPERATIONS else f"{kind.removesuffix('_')}.{overload}"
        if plain not in OPERATIONS:
            raise Unknown(f"it answers by an operation that no network needs: {name[:40]}")
        told = {k: v for k, v in kwargs.items() if v is not None and k in _NAMED}
        positional = args[:1] if plain in _OF_ONE else args
        sound = all(_sound(a, i, len(constants)) for a in (*positional, *told.values()))
        if not sound or len(args) > 12:
            raise Unknown(_TOLD)
        read.append((plain, positional, told))
    if not isinstance(answer, int) or not 0 < answer <= len(read):
        raise Unknown(_TOLD)
    return Network(read, constants, answer, evidence.data.get("reduced") is True)


def _sound(told: Any, results: int, constants: int, depth: int = 0) -> bool:
    """Whether an argument is a number, or names a result or a constant that there is."""
    if isinstance(told, list):
        few = depth < DEPTH_CAP and len(told) <= 8
        return few and all(_sound(t, results, constants, depth + 1) for t in told)
    if isinstance(told, dict):
        (key, at), *more = list(told.items()) or [("", None)]
        if more or isinstance(at, bool) or not isinstance(at, int):
            return False
        return key == "n" or (0 <= at < {"r": results + 1, "c": constants}.get(key, 0))
    if isinstance(told, str):
        return told in ("none", "tanh")
    return told is None or isinstance(told, (bool, int, float))
