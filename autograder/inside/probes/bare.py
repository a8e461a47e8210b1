"""The whole of a bare script, run afresh on images of ours and watched from its first line.

Theory. A script without functions offers nothing to call and nothing to rebind, but it must read
its images from `data/`. So it runs from its first line in a folder whose `data/` holds a small
secret set, and every forward call of its network is watched: what went in, what the weights were
when it began, whether a backward pass came back to it, and what was printed afterwards. Weights
are read at forward calls only, so it does not matter who changes them: an optimizer, or a line of
arithmetic. With the images known outside, the judge recomputes the gradient of each early step
and sees what the step was made of.

A call need not be `net(images)`. Where the parts of the network are called one by one (`for layer
in net`, `net[1:](...)`, `net.forward(...)`, `F.linear` with its weights), a call begins at the part
with its first parameter and ends with what comes out of the part with its last.

Full weights are large, so they leave the box as they are only at the start and at the end of the
training. In between go the columns of the first layer whose pixel ever varies; what the other
pixels add to the first layer is the same for every image, and is sent as one vector, `offsets`.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.nn.parameter import is_lazy
from torch.optim.optimizer import register_optimizer_step_pre_hook

from .. import absent
from ..program import Program, first_error
from ..recorder import plain
from .nets import gradient_norm
from .wholerun import own_folder

Result = tuple[dict[str, Any], dict[str, Tensor]]
CALLS_CAP, ROWS_CAP, LETTERS_CAP, TEXT_CAP = 10_000, 60_000, 400, 8_000
MODULES_CAP, OPTIMIZERS_CAP, TEST_ROWS = 8, 8, 512
PIXELS = 28 * 28


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


class _Tee(io.TextIOBase):
    """A text stream that also keeps the last of what is written to it."""

    def __init__(self, stream: Any, kept: list[str]) -> None:
        self._stream, self._kept = stream, kept

    def write(self, text: str) -> int:
        self._kept.append(text)
        if len(self._kept) > TEXT_CAP:
            del self._kept[: TEXT_CAP // 2]
        self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


@dataclass
class _Call:
    """One forward call: its images (B, pixels), the weights (P,) it found, what came of it."""

    images: Tensor | None
    weights: Tensor | None
    rows: int
    graph: bool = False
    reached: bool = False
    moved: bool = False
    labels: Tensor | None = None


@dataclass
class _Step:
    """A call that a backward pass came back to, with the weights before and after it."""

    images: Tensor
    labels: Tensor
    before: Tensor
    after: Tensor


class _Line:
    """The calls of one module, in order."""

    def __init__(self, module: nn.Module, keep: int, seed: int) -> None:
        self.module, self._keep, self._seed = module, keep, seed
        self.calls: list[_Call] = []
        self.prints: list[Tensor] = []
        self.steps: list[_Step] = []
        self.tests: list[Tensor] = []
        self.first: Tensor | None = None
        self._rows = 0
        self._trained = False

    def vector(self) -> Tensor:
        """All parameters of the module now, (P,) float32."""
        return torch.cat([p.detach().reshape(-1).float().cpu() for p in self.module.parameters()])

    def begin(self, x: Tensor) -> None:
        """A forward call on `x` begins."""
        weights = self.vector()
        self.close(weights)
        flat = x.detach().reshape(len(x), -1).float().cpu()
        self.calls.append(_Call(flat.clone(), weights, len(x)))
        if len(self.calls) <= CALLS_CAP and self._rows + len(x) <= ROWS_CAP:
            drawn = torch.Generator().manual_seed(self._seed)
            ray = torch.randn(flat.shape[1], dtype=torch.float64, generator=drawn)
            self.prints.append(flat.double() @ ray)
            self._rows += len(x)

    def close(self, weights: Tensor) -> None:
        """What the weights are when the last call is over: its step, if it led to one."""
        last = self.calls[-1] if self.calls else None
        if last is None or last.weights is None or last.images is None:
            return
        last.moved = not torch.equal(last.weights, weights)
        if self.first is None or (last.reached and not self._trained):
            self.first, self._trained = last.weights, last.reached
        if last.reached and last.labels is not None and len(self.steps) < self._keep:
            self.steps.append(_Step(last.images, last.labels, last.weights, weights))
        elif not last.reached:
            self.tests = [*self.tests, last.images][-8:]
        last.images = last.weights = None


class _Watch:
    """The hooks, and what they saw."""

    def __init__(self, program: Program, name: str, keep: int, seed: int) -> None:
        self._program, self._name = program, name
        self._keep, self._seed = keep, seed
        self.unfollowed = 0
        """Steps that found gradients in the network, which no call of it was seen to lead to."""
        self.lines: dict[int, _Line] = {}
        self.letters: list[str] = []
        self.printed: list[str] = []
        self.optimizers: list[torch.optim.Optimizer] = []
        self.rates: list[dict[str, Any]] = []
        self._depth = 0
        self._line: _Line | None = None
        """Whose forward call is under way; None in a module not followed, such as a loss."""
        self._closer: nn.Module | None = None
        """The module whose end is the call's; None where parts are called one by one."""
        self._last: nn.Module | None = None

    def _letter(self, letter: str) -> None:
        if len(self.letters) < LETTERS_CAP:
            self.letters.append(letter)

    def _root(self) -> tuple[nn.Module, list[Tensor]] | None:
        """The network and its parameters, once the program has bound its name."""
        root = self._program.namespace.get(self._name)
        if not isinstance(root, nn.Module):
            return None
        own: list[Tensor] = list(root.parameters())
        return (root, own) if own and not any(is_lazy(p) for p in own) else None

    def entering(self, module: nn.Module, inputs: Any) -> None:
        self._depth += 1
        root = self._root()
        if root is not None and module is not root[0]:
            part = _part(module, root[1])
            if part is not None and part[0] is root[1][0]:
                if self._line is None or self._depth == 1:
                    self._begin(root[0], inputs, None)
                return
            if part is not None or (self._line is not None and self._closer is None):
                return  # a later part of what began
            if type(module).__module__ == "__main__" and any(
                m is root[0] for m in module.modules()
            ):
                return  # a wrapper of the program's own: what counts is the call within
        if self._depth == 1 or (root is not None and module is root[0] and self._line is None):
            self._line = None
            self._begin(module, inputs, module)

    def _begin(self, module: nn.Module, inputs: Any, closer: nn.Module | None) -> None:
        """A call of `module` begins, if that is followed."""
        x = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        if x is None or x.ndim < 2 or any(is_lazy(p) for p in module.parameters()):
            return
        if id(module) not in self.lines and any(True for _ in module.parameters()):
            known = self.line_of(module)
            if len(self.lines) < MODULES_CAP:
                self.lines[id(module)] = known
        self._line, self._closer = self.lines.get(id(module)), closer
        if self._line is not None:
            self._last = module
            self._line.begin(x)

    def linear(self, original: Any) -> Any:
        """`F.linear`, called with the network's own weights by the program itself."""

        def watched(x: Any, weight: Any, bias: Any = None) -> Any:
            root = self._root() if self._depth == 0 else None
            if root is not None and weight is root[1][0]:
                self._begin(root[0], (x,), None)
            result = original(x, weight, bias)
            if root is not None and (weight is root[1][-1] or bias is root[1][-1]):
                self._end(result)
            return result

        return watched

    def leaving(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._depth = max(0, self._depth - 1)
        root = self._root() if self._line is not None and self._closer is None else None
        part = None if root is None else _part(module, root[1])
        if module is self._closer or (part is not None and root and part[1] is root[1][-1]):
            self._end(output)

    def _end(self, output: Any) -> None:
        """The call under way ends with `output`."""
        line, self._line, self._closer = self._line, None, None
        if line is None or not isinstance(output, Tensor):
            return
        call = line.calls[-1]
        call.graph = output.requires_grad
        if not call.graph:
            return
        self._letter("f")

        def reached(gradient: Tensor) -> None:
            # whatever the loss, the score of the right class is the one it pushes up most
            call.reached = True
            if gradient.ndim == 2:
                call.labels = gradient.detach().argmin(1).cpu()
            self._letter("b")
            self.printed.clear()  # only what follows the last training step is of interest

        output.register_hook(reached)  # type: ignore[no-untyped-call]

    def stepping(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        there = self._last is not None and gradient_norm(self._last) > 0
        root = self._root()
        if root is not None and not there and gradient_norm(root[0]) > 0:
            self.unfollowed += 1
        self._letter("s" if there else "n")
        known = any(o is optimizer for o in self.optimizers)
        if not known and len(self.optimizers) < OPTIMIZERS_CAP:
            self.optimizers.append(optimizer)
            self.rates.append(
                {
                    "type": type(optimizer).__name__[:80],
                    "rate": plain(optimizer.param_groups[0].get("lr")),
                }
            )

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        hooks = [
            register_module_forward_pre_hook(self.entering),
            register_module_forward_hook(self.leaving, always_call=True),
            register_optimizer_step_pre_hook(self.stepping),
        ]
        linear = F.linear
        F.linear = self.linear(linear)
        try:
            with (
                contextlib.redirect_stdout(_Tee(sys.stdout, self.printed)),
                contextlib.redirect_stderr(_Tee(sys.stderr, self.printed)),
            ):
                yield
        finally:
            F.linear = linear
            for hook in hooks:
                hook.remove()

    def line_of(self, net: nn.Module) -> _Line:
        """The calls of `net`, and of a module around it that has the same parameters."""
        if id(net) in self.lines:
            return self.lines[id(net)]
        own = {id(p) for p in net.parameters()}
        for line in self.lines.values():
            if {id(p) for p in line.module.parameters()} == own:
                return line
        return _Line(net, self._keep, self._seed)


def _part(module: nn.Module, own: list[Tensor]) -> tuple[Tensor, Tensor] | None:
    """The first and the last parameter of a part of the network whose parameters are `own`; None
    of a module that is no part of it, or is all of it.
    """
    held = list(module.parameters())
    ids = {id(p) for p in own}
    inner = bool(held) and len(held) < len(own) and all(id(p) in ids for p in held)
    return (held[0], held[-1]) if inner else None


def _packed(line: _Line) -> dict[str, Tensor]:
    """Steps and test images in the columns that vary; nothing where no image has 784 pixels."""
    first = next(iter(line.module.parameters()))
    images = [s.images for s in line.steps]
    tests = [t for t in line.tests if t.shape[1] == PIXELS]
    fits = first.ndim == 2 and first.shape[1] == PIXELS
    if not fits or not images or any(i.shape[1] != PIXELS for i in images):
        return {}
    seen = torch.cat([*images, *tests])
    varies = (seen != seen[0]).any(0)
    columns = varies.nonzero().flatten()
    states: list[Tensor] = []
    pairs = []
    for step in line.steps:
        for vector in (step.before, step.after):
            if not states or not torch.equal(states[-1], vector):
                states.append(vector)
        at = len(states) - 1
        pairs.append([at if torch.equal(step.before, step.after) else at - 1, at])
    split = [(s[: first.numel()].reshape(first.shape), s[first.numel() :]) for s in states]
    still = seen[0].double().masked_fill(varies, 0.0)
    return {
        "columns": columns,
        "constant": seen[0].masked_fill(varies, 0.0),
        "rows": torch.tensor([len(i) for i in images]),
        "inputs": torch.cat(images)[:, columns],
        "labels": torch.cat([s.labels for s in line.steps]),
        "tests": torch.cat(tests)[-TEST_ROWS:, columns] if tests else torch.zeros(0, len(columns)),
        "states": torch.stack([torch.cat([w[:, columns].reshape(-1), rest]) for w, rest in split]),
        "offsets": torch.stack([(w.double() @ still).float() for w, _ in split]),
        "pairs": torch.tensor(pairs),
    }


def run(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Run the program on our images; args: `name` (the network's), `folder`, `steps`, `seed`.

    tensors: see `secret_root`. Returns as data the `shapes` of the network's parameters, the
    `letters` (f forward with a graph, b backward, s step with gradients, n step without), the
    `optimizers` (type, rate, how many of the network's parameters they `held`), what was
    `printed` after the last backward pass, the first `error`, and how many steps were `unfollowed`:
    found gradients in the network that no call of it was seen to lead to. As tensors `start` and
    `final` (P,) the weights; `calls` (K, 4) int64: rows, reached by backward, with a graph, weights
    moved afterwards; `prints` (rows,) float64, equal for equal images; and, of the first `steps`
    calls that a backward pass reached, what `_packed` names: `columns` (V,) that vary, `constant`
    (784,) the others' values, `rows` (S,), `inputs` (R, V), `labels` (R,), `tests` (E, V) images
    that no backward pass reached, `states` (U, D) weights, `offsets` (U, H), `pairs` (S, 2) the
    states before and after each step.
    """
    watch = _Watch(program, args["name"], int(args["steps"]), int(args["seed"]))
    with secret_root(args["folder"], tensors), watch.watching():
        program.load()
    net = program.get(args["name"])
    if not isinstance(net, nn.Module):
        raise TypeError(f"'{args['name']}' is no nn.Module but a {type(net).__name__}")
    line = watch.line_of(net)
    final = line.vector()
    line.close(final)
    absent.need_printed()  # what the program prints is judged
    own = {id(p) for p in net.parameters()}
    for optimizer, told in zip(watch.optimizers, watch.rates, strict=True):
        told["held"] = len(own & {id(p) for g in optimizer.param_groups for p in g["params"]})
    calls = [[c.rows, c.reached, c.graph, c.moved] for c in line.calls[:CALLS_CAP]]
    data = {
        "shapes": [list(p.shape) for p in line.module.parameters()][:64],
        "letters": "".join(watch.letters),
        "optimizers": watch.rates,
        "printed": "".join(watch.printed)[-TEXT_CAP:],
        "error": first_error(program),
        "unfollowed": watch.unfollowed,
    }
    out = {
        "start": final if line.first is None else line.first,
        "final": final,
        "calls": torch.tensor(calls, dtype=torch.int64).reshape(-1, 4),
        "prints": torch.cat(line.prints) if line.prints else torch.zeros(0, dtype=torch.float64),
        **_packed(line),
    }
    return data, out
