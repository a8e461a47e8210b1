"""The trace of a network: what went in, what came back, and what each step did to its weights.

Theory. Whoever knows the images that went into a network, the weights it had, and the gradient
that a backward pass brought back to its answers, can compute outside what every later beat of the
loop must do. So that is what a trace holds, and all it holds, in whatever form the loop is written:

    call    one forward pass of the network: the images, the weights found, the answers, the mode,
            whether gradients were recorded, and the gradient (the pull) that a backward pass
            brought back to the answers
    step    one optimizer step: the gradients that it found in the network's parameters, and the
            weights before and after it
    span    one call of a function of the program's, with what it returned
    letters the order of things: f forward with a graph, b backward, s a step that found gradients
            in the network, n a step that found none, z a call of `zero_grad`, | the end of a span

The program's own objects are watched where they are; nothing is exchanged. Weights are read at
forward calls and at steps, so an update written by hand is seen too, between two calls.

A call need not be `net(images)`. Where the parts of a network are called one by one (`for layer in
net`, `net[1:](...)`), a call begins at the part with its first parameter and ends with what comes
out of the part with its last. Where its weights are used alone (`x @ net.fc1.weight.T`), the
product with the first begins a call, and what the last goes into, or the loss, ends it. Which
network is meant is often known only in the end (a global may be bound late, or anew), so every
network that is called is followed, and `line_for` finds the calls of the one that is asked for.

All pixels that never vary add the same to the first layer, so they leave the process as one vector
(`offsets`) and the weights only in the columns that do vary (`packed`).
"""

from __future__ import annotations

import contextlib
import functools
import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.nn.parameter import is_lazy
from torch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from .plain import finite, number

CALLS_CAP, ROWS_CAP, LETTERS_CAP, SPANS_CAP, STEPS_CAP = 10_000, 60_000, 2_000, 200, 10_000
NETWORKS_CAP, OPTIMIZERS_CAP, OPENING_CAP = 8, 8, 4
ANSWERS_CAP = 2_500
"""Rows of answers that are kept of training calls, and of calls without gradients."""
STATES_MB = 128
"""Weights kept in this process, of all networks together."""
LOSSES = ("cross_entropy", "nll_loss", "mse_loss", "binary_cross_entropy_with_logits")
PRODUCTS = (
    (F, "linear"),
    *((torch, name) for name in ("matmul", "mm", "addmm", "einsum")),
    *((Tensor, name) for name in ("__matmul__", "matmul", "mm", "addmm")),
)
"""What a program may multiply a network's weights in by itself."""
SUMS = ((torch, "add"), *((Tensor, name) for name in ("__add__", "__radd__", "__iadd__", "add")))
"""What it may add a bias by."""
SCALER = ("scale", "unscale_", "step", "update")
"""The methods of a gradient scaler that are counted."""


class _Marker:
    """Lives exactly as long as the graph node whose hook holds it."""


@dataclass
class Call:
    """One forward pass. `images` (B, pixels) and `answers` (B, C) as float32; `state` the index of
    the weights it found, -1 where they were not kept; `pull` (B, C) the gradient that came back;
    `begun` and `pulled` when that was (see `Trace.clock`).
    """

    rows: int
    state: int
    span: int
    training: bool
    grad: bool
    begun: int
    images: Tensor | None
    print: Tensor | None
    total: float
    """The sum of all prints, which is kept where the prints are too many."""
    graph: bool = False
    answers: Tensor | None = None
    dtype: str = ""
    pull: Tensor | None = None
    wish: Tensor | None = None
    """What a backward pass would bring back, by the loss that was computed of the answers."""
    delta: Tensor | None = None
    """What the backward pass added to the gradients, (P,), where the trace is to tell."""
    pulls: int = 0
    pulled: int = -1
    dirty: float = 0.0
    """Norm of the gradients that the backward pass found before it added its own."""
    alive: int = 0
    """How many graphs of this network were alive when the backward pass came, its own among them:
    only those that one has passed through. Where none came, all that were when the call began."""


@dataclass
class Step:
    """One optimizer step on parameters of the network. `call` counts the calls before its update
    (those within it too, where a closure made them); `held` and `given` count the parameter tensors
    that the optimizer holds and those with a gradient; `gradient` (P,) is what `.grad` held, zeros
    where it held nothing; `before` and `after` are states as in `Call`; `at` is when it was.
    """

    call: int
    at: int
    optimizer: int
    span: int
    held: int
    before: int
    rates: list[float]
    given: int = 0
    norm: float = 0.0
    gradient: Tensor | None = None
    after: int = -1
    moved: bool = False


@dataclass
class Span:
    """One call of a watched function: which network calls lie in it, and what came of it."""

    function: str
    first: dict[int, int]
    """Per network: how many calls it had before."""
    letter: int
    last: dict[int, int] = field(default_factory=dict)
    returned: dict[str, Any] = field(default_factory=dict)
    ended: bool = False
    depth: int = 0


class Line:
    """The calls and steps of one network, in order."""

    def __init__(self, trace: Trace, network: nn.Module) -> None:
        self.trace, self.network = trace, network
        self.calls: list[Call] = []
        self.steps: list[Step] = []
        self.states: list[Tensor] = []
        self.moved: list[bool] = []
        """For each call, whether the weights changed between it and the next."""
        self.opening: list[list[float]] = []
        """Of the first calls that a backward pass came back to: how many images, the sum of their
        prints, the sum of the weights and their norm.
        """
        self.named = False
        """Whether the network was called while the name that is asked for was bound to it."""
        self._last: Tensor | None = None
        self._index = -1
        self._rows = 0
        self._answered = {True: 0, False: 0}
        self._markers: list[tuple[weakref.ref[_Marker], Call]] = []
        self._output: Tensor | None = None
        """The last answers, as long as a loss of them may be wished for, since a program need not
        name them: `log_softmax(net(x))`."""

    @property
    def parameters(self) -> list[Tensor]:
        """The network's parameters: those it lists, else those in plain lists of its own."""
        return parameters_of(self.network)

    def vector(self) -> Tensor:
        """All parameters now, (P,) float32 on the CPU."""
        if not self.parameters:
            return torch.zeros(0)
        return torch.cat([p.detach().reshape(-1).float().cpu() for p in self.parameters])

    def state(self) -> int:
        """The index in `states` of the weights as they are now; -1 where there is no more room."""
        now = self.vector()
        if self._last is not None and torch.equal(self._last, now):
            return self._index
        if self._last is not None and self.moved:
            self.moved[-1] = True
        self._last, self._index = now, -1
        if self.trace.room(now):
            self.states.append(now)
            self._index = len(self.states) - 1
        return self._index

    def begin(self, x: Tensor) -> None:
        """A forward call on `x` (B, …) begins."""
        self._output = None
        state = self.state()
        if len(self.calls) >= CALLS_CAP:
            return
        flat = x.detach().reshape(len(x), -1).float().cpu()
        seen = self._rows + len(x) <= ROWS_CAP
        self._rows += len(x)
        keep = seen and self.trace.wanted(self)
        prints = flat.double() @ self.trace.ray(flat.shape[1])
        self.calls.append(
            Call(
                rows=len(x),
                state=state,
                span=self.trace.span_now,
                training=mode_of(self.network),
                grad=torch.is_grad_enabled(),
                begun=self.trace.tick(),
                images=flat.clone() if keep else None,
                print=prints if seen else None,
                total=float(prints.sum()),
                alive=self._alive(),
            )
        )
        self.moved.append(False)

    def end(self, output: Tensor) -> None:
        """The call under way ends with `output`."""
        if not self.calls:
            return
        call, trace = self.calls[-1], self.trace
        call.graph = output.requires_grad
        call.dtype = str(output.dtype).removeprefix("torch.")
        plain = output.ndim == 2 and not output.is_complex()
        # a column for each image; where both fit, rows are likelier
        turned = plain and len(output) != call.rows == output.shape[1]
        if plain and (call.images is not None or self._answered[call.grad] < ANSWERS_CAP):
            self._answered[call.grad] += call.rows
            call.answers = (output.T if turned else output).detach().float().cpu()
        if not call.graph:
            return
        trace.letter("f")
        marker = _Marker()

        def pulled(gradient: Tensor, kept: _Marker = marker) -> None:
            if trace.wishing:
                return
            self._output = None
            if not call.pulls:
                call.dirty = gradient_norm(self.parameters)
                trace.open(call, self)
            if trace.tell and call.images is not None:
                self._follow(call)
            call.pulls += 1
            if call.pulls == 1:
                call.alive = self._alive(pulled=True)
            call.pulled = trace.tick()
            trace.pulled()
            trace.after_backward()
            pull = (gradient.T if turned else gradient).detach().float().cpu()
            if call.answers is not None and pull.shape == call.answers.shape:
                call.pull = pull if call.pull is None else call.pull + pull

        output.register_hook(pulled)  # type: ignore[no-untyped-call]
        few = len(self.calls) <= trace.keep and not any(c.pulls for c in self.calls)
        self._output = output if few else None
        self._markers.append((weakref.ref(marker), call))

    def make_room(self) -> None:
        """Keep as many answers again as were kept until now, whatever came before."""
        self._answered = {True: 0, False: 0}

    def drop(self) -> None:
        """The call under way was none that could be followed."""
        self.calls.pop()
        if self.moved.pop() and self.moved:
            self.moved[-1] = True

    def wish(self, loss: Tensor) -> None:
        """A loss was computed: what would a backward pass from it bring back to the last answers?
        Asked of a few calls, as long as none has come.
        """
        output = self._output
        if output is None or loss.numel() != 1 or not loss.requires_grad:
            return
        self.trace.wishing = True
        try:
            (wish,) = torch.autograd.grad(loss, output, retain_graph=True, allow_unused=True)
        finally:
            self.trace.wishing = False
        answers = self.calls[-1].answers
        if answers is not None and isinstance(wish, Tensor):
            wish = wish if wish.shape == answers.shape else wish.T
            self.calls[-1].wish = wish.detach().float().cpu()

    def _follow(self, call: Call) -> None:
        """Within a backward pass: note what it adds to the gradients, once it is over."""
        ids = {id(p) for p in self.parameters}
        before = torch.cat([_gradient(p, ids) for p in self.parameters])

        def over() -> None:
            added = torch.cat([_gradient(p, ids) for p in self.parameters]) - before
            call.delta = added if call.delta is None else call.delta + added

        torch.autograd.Variable._execution_engine.queue_callback(over)  # noqa: SLF001 - the one way

    def _alive(self, *, pulled: bool = False) -> int:
        """Graphs that are still held, or only those that a backward pass has `pulled`; garbage is
        collected before many are believed.
        """
        self._markers = [(ref, call) for ref, call in self._markers if ref() is not None]
        if len(self._markers) > 2:
            gc.collect()
            self._markers = [(ref, call) for ref, call in self._markers if ref() is not None]
        return sum(call.pulls > 0 or not pulled for _, call in self._markers)

    def stepping(self, optimizer: Optimizer, index: int, span: int) -> Step | None:
        """An optimizer is about to step; None where it holds nothing of this network."""
        own = self.parameters
        ids = {id(p) for group in optimizer.param_groups for p in group["params"]}
        held = [p for p in own if id(p) in ids]
        if not held or len(self.steps) >= STEPS_CAP:
            return None
        step = Step(
            call=len(self.calls),
            at=self.trace.tick(),
            optimizer=index,
            span=span,
            held=len(held),
            before=self.state(),
            rates=[float(group.get("lr", 0.0)) for group in optimizer.param_groups[:8]],
        )
        self._look(step, ids)
        self.steps.append(step)
        return step

    def stepped(self, optimizer: Optimizer, step: Step) -> None:
        """The step is over. One with a closure has made calls meanwhile, and its gradients."""
        if len(self.calls) > step.call:
            step.call, step.at = len(self.calls), self.trace.tick()
            ids = {id(p) for group in optimizer.param_groups for p in group["params"]}
            self._look(step, ids)
        before = self._last
        step.after = self.state()
        step.moved = self._last is not before
        if step.norm and not step.moved and not gradient_norm(self.parameters):
            step.given, step.norm, step.gradient = 0, 0.0, None  # cleared within the step

    def _look(self, step: Step, ids: set[int]) -> None:
        """What the gradients are that a step uses; `ids` of the parameters that it may move."""
        own = self.parameters
        given = [p for p in own if id(p) in ids and p.grad is not None]
        step.given, step.norm = len(given), gradient_norm(given)
        known = sum(s.gradient is not None for s in self.steps if s is not step)
        if given and known < self.trace.keep:
            step.gradient = torch.cat([_gradient(p, ids) for p in own])


def _gradient(p: Tensor, ids: set[int]) -> Tensor:
    """A parameter's gradient as a vector on the CPU; zeros for one without, or not among `ids`."""
    if p.grad is None or id(p) not in ids:
        return torch.zeros(p.numel())
    return p.grad.detach().to_dense().reshape(-1).float().cpu()


class Trace:
    """Follows every network that is called while it is `watching`. `keep`: how many steps of a
    network are written down with their gradients, `calls`: how many calls at most with their images
    (a third of them, where backward passes come back to them); `seed`: of the ray that images are
    printed by;
    `mend`: "late" puts what stands between a backward pass and its step, and belongs after it,
    off to the next forward pass: a `zero_grad`, and a scaler's `update` to the end of the span at
    the latest; so that what rests on the gradients can be judged as if that one beat stood in its
    place; `tell`: note what each backward pass added to the gradients, for a network that cannot be
    computed outside.
    """

    def __init__(
        self,
        name: str,
        namespace: dict[str, Any],
        keep: int,
        seed: int,
        *,
        calls: int = 0,
        mend: str = "",
        tell: bool = False,
    ) -> None:
        self.name, self.namespace, self.keep, self.seed = name, namespace, keep, seed
        self.mend, self.tell, self.near = mend, tell, calls or 3 * keep
        self.lines: dict[int, Line] = {}
        self.opened: list[Line] = []
        """The networks that a backward pass came back to, in the order in which one first did."""
        self.letters: list[str] = []
        self.spans: list[Span] = []
        self.optimizers: list[Optimizer] = []
        self.stepped: set[int] = set()
        """The indices of those that stepped."""
        self.strangers = 0
        """Steps of optimizers that hold nothing of any network that was followed."""
        self.unfollowed = 0
        """Uses of the network's weights, and steps that found gradients in them, that no call of it
        was seen to lead to.
        """
        self.scaler: dict[str, int] = dict.fromkeys((*SCALER, "early"), 0)
        """Calls of each method; `early`: how many updates came between a backward pass and its
        step."""
        self.after_backward: Callable[[], None] = lambda: None
        self.after_step: Callable[[], None] = lambda: None
        self.clock = 0
        self.wishing = False
        """Whether a gradient is asked for by the trace itself."""
        self._waiting = False
        """Whether gradients came that no step has used."""
        self._hasty = False
        """Whether a scaler was updated while they waited."""
        self._owed: Callable[[], Any] | None = None
        """A `zero_grad` that is put off to the next forward pass."""
        self._update: Callable[[], Any] | None = None
        """A scaler's `update` that is put off; dropped where the program makes one in its place."""
        self._open: list[int] = []
        self._bytes = 0
        self._rays: dict[int, Tensor] = {}
        self._depth = 0
        self._line: Line | None = None
        """Whose forward call is under way; None in a module not followed, such as a loss."""
        self._closer: nn.Module | None = None
        """The module whose end is the call's; None where parts are called one by one."""
        self._ends: tuple[nn.Module, Tensor, Tensor] | None = None
        """The network that is asked for, its first weight and its last parameter."""
        self._steps: dict[int, tuple[int, list[tuple[Line, Step]]]] = {}

    # --- what the lines ask ----------------------------------------------------------------------

    def tick(self) -> int:
        """The next moment of the trace's clock, which counts calls, backward passes and steps."""
        self.clock += 1
        return self.clock

    def letter(self, letter: str) -> None:
        if len(self.letters) < LETTERS_CAP:
            self.letters.append(letter)

    def open(self, call: Call, line: Line) -> None:
        """A backward pass came back to a call; the first such are the network's opening."""
        if not line.opening:
            self.opened.append(line)
        if len(line.opening) < OPENING_CAP:
            wide = line.vector().double()
            figures = (call.total, wide.sum(), wide.norm())
            line.opening.append([float(call.rows), *(float(f) for f in figures)])

    def pulled(self) -> None:
        """A backward pass came back to a network."""
        self.letter("b")
        self._waiting, self._hasty = True, False

    def ray(self, pixels: int) -> Tensor:
        """A random direction: images that print the same number along it are the same image."""
        if pixels not in self._rays:
            drawn = torch.Generator().manual_seed(self.seed)
            self._rays[pixels] = torch.randn(pixels, dtype=torch.float64, generator=drawn)
        return self._rays[pixels]

    def room(self, state: Tensor) -> bool:
        """Whether these weights may still be kept."""
        self._bytes += 4 * state.numel()
        return self._bytes <= STATES_MB << 20

    def wanted(self, line: Line) -> bool:
        """Whether a call's images are kept: of the first steps, and of the first two looks."""
        kept = [c for c in line.calls if c.images is not None]
        if torch.is_grad_enabled():
            learning = [c for c in kept if c.grad]
            far = sum(c.pulls > 0 for c in learning) >= max(self.keep, self.near // 3)
            return len(learning) < self.near and not far
        return sum(not c.grad for c in kept) < 2

    @property
    def span_now(self) -> int:
        return self._open[-1] if self._open else -1

    # --- spans -----------------------------------------------------------------------------------

    def around(
        self, name: str, function: Callable[..., Any], answer: Callable[[Any], Any] | None = None
    ) -> Callable[..., Any]:
        """`function`, with each of its calls written down as a span called `name`; what it returns
        may be answered by `answer(span, returned)` instead.
        """

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            if self._inside(name):  # two wraps of one function, by two names
                return function(*args, **kwargs)
            with self.span(name) as span:
                returned = function(*args, **kwargs)
                span.returned = number(returned)
                span.ended = True
            return returned if answer is None else answer(returned)

        return called

    def _inside(self, name: str) -> bool:
        """Whether the innermost span under way is of this name."""
        return self.span_now >= 0 and self.spans[self.span_now].function == name

    @contextlib.contextmanager
    def span(self, name: str) -> Iterator[Span]:
        """Within, calls belong to a span of this name."""
        now = {key: len(line.calls) for key, line in self.lines.items()}
        span = Span(name, now, len(self.letters), depth=len(self._open))
        if len(self.spans) < SPANS_CAP:
            self.spans.append(span)
            self._open.append(len(self.spans) - 1)
        else:
            self._open.append(-1)
        self._depth = 0
        self._abandon()
        try:
            yield span
            self._settle()
        finally:
            self._abandon()
            self._open.pop()
            span.last = {key: len(line.calls) for key, line in self.lines.items()}
            for line in self.lines.values():
                line.state()
            self.letter("|")

    # --- hooks -----------------------------------------------------------------------------------

    def _root(self) -> tuple[nn.Module, list[Tensor]] | None:
        """The network that is asked for and its parameters, once its name is bound."""
        root = self.namespace.get(self.name)
        if not isinstance(root, nn.Module):
            return None
        own = parameters_of(root)
        if not own or any(is_lazy(p) for p in own):
            return None
        self._ends = root, next((p for p in own if p.ndim > 1), own[0]), own[-1]
        return root, own

    def _entering(self, module: nn.Module, inputs: Any) -> None:
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
            if any(m is root[0] for m in module.modules()):
                return  # something around the network: what counts is the call within
        if self._depth == 1 or (root is not None and module is root[0] and self._line is None):
            self._abandon()
            self._begin(module, inputs, module)

    def _begin(self, module: nn.Module, inputs: Any, closer: nn.Module | None) -> None:
        """A call of `module` begins, if that is followed."""
        x = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        if x is None or x.ndim < 2 or any(is_lazy(p) for p in module.parameters()):
            return
        if torch._C._functorch.peek_interpreter_stack() is not None:  # noqa: SLF001
            self.unfollowed += 1  # within a transform there are no numbers, and no backward pass
            return
        self._abandon()
        if id(module) not in self.lines and parameters_of(module):
            known = self.line_of(module)
            if len(self.lines) < NETWORKS_CAP:
                self.lines[id(module)] = known
        self._line, self._closer = self.lines.get(id(module)), closer
        if self._line is not None:
            self._line.named |= self.namespace.get(self.name) is module
            self._settle()
            if self._owed is not None and torch.is_grad_enabled():
                self._owed()
                self._owed = None
            self._line.begin(x)

    def _leaving(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._depth = max(0, self._depth - 1)
        root = self._root() if self._line is not None and self._closer is None else None
        part = None if root is None else _part(module, root[1])
        if module is self._closer or (part is not None and root and part[1] is root[1][-1]):
            self._end(output)

    def _end(self, output: Any) -> None:
        line, self._line, self._closer = self._line, None, None
        if line is not None and isinstance(output, Tensor):
            line.end(output)

    def _abandon(self) -> None:
        """A call that was begun by its parts, and whose end was not seen, is none."""
        line, closer, self._line, self._closer = self._line, self._closer, None, None
        if line is not None and closer is None:
            line.drop()
            self.unfollowed += 1

    def _using(self, original: Any, *, product: bool) -> Any:
        """A function that the program may call with the network's own weights by itself: a
        `product` with the first begins a call, and what the last goes into ends it.
        """

        @functools.wraps(original)
        def watched(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            if self._closer is None and isinstance(result, Tensor):
                self._used(original.__name__, [*args, *kwargs.values()], result, product=product)
            return result

        return watched

    def _used(self, name: str, operands: list[Any], result: Tensor, *, product: bool) -> None:
        root = self.namespace.get(self.name)
        if not isinstance(root, nn.Module) or (self._line is None and not product):
            return
        if (self._ends is None or self._ends[0] is not root) and self._root() is None:
            return
        assert self._ends is not None
        _, first, last = self._ends
        given = [o for o in operands if isinstance(o, Tensor)]
        at = next((k for k, o in enumerate(given) if product and _is(o, first)), None)
        if at is not None and (self._line is None or self._depth == 0):
            beside = [o for o in given if not _is(o, first)]
            rows = _rows(beside if name == "einsum" else given[:at], first, result)
            if rows is None:
                rows = _columns(beside if name == "einsum" else given[at + 1 :], first, result)
            if rows is not None:
                self._begin(root, [rows], None)
            else:
                self.unfollowed += 1
        if self._line is not None and any(_is(o, last) for o in given):
            self._end(result)

    def _stepping(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self._abandon()
        index = self.index(optimizer)
        self.stepped.add(index)
        found = [(n, n.stepping(optimizer, index, self.span_now)) for n in self._networks()]
        steps = [(line, step) for line, step in found if step is not None]
        self._steps[id(optimizer)] = (self.clock, steps)
        root = self._root()
        # `inf` and `nan` are gradients, too
        useful = any(step.norm != 0 for _, step in steps)
        led = any(step.norm != 0 and line.calls for line, step in steps)
        if root is not None and not led and gradient_norm(root[1]) > 0:
            self.unfollowed += 1
        if not steps:
            self.strangers += 1
        self.letter("s" if useful else "n")
        self._waiting = False

    def _networks(self) -> list[Line]:
        return list(dict.fromkeys(self.lines.values()))

    def _stepped(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        begun, steps = self._steps.pop(id(optimizer), (self.clock, []))
        for line, step in steps:
            line.stepped(optimizer, step)
        known = [line for line, _ in steps]
        for line in self._networks():
            # a closure may be the first to call the network that its optimizer holds
            inside = [c for c in line.calls if c.begun > begun]
            if line in known or not inside:
                continue
            late = line.stepping(optimizer, self.index(optimizer), self.span_now)
            if late is not None:
                late.before, late.after = inside[0].state, late.before
                late.moved = late.before != late.after
                self.strangers -= 1
        self.after_step()

    def _counting(self, name: str) -> Any:
        method = getattr(torch.amp.GradScaler, name)

        @functools.wraps(method)
        def counted(scaler: Any, *args: Any, **kwargs: Any) -> Any:
            self.scaler[name] += 1
            if name == "step":
                self.scaler["early"] += self._hasty
            elif name == "update":
                self._hasty = self._waiting
                self._update = None
                if self.mend == "late" and self._waiting:
                    self._update = functools.partial(method, scaler, *args, **kwargs)
                    return None
            try:
                returned = method(scaler, *args, **kwargs)
            except AssertionError:
                self.scaler["early"] += name == "update" and self._waiting
                raise
            if name == "step":  # one that was skipped is over, too
                self._waiting = self._hasty = False
            return returned

        return counted

    def _settle(self) -> None:
        """Do the `update` that was put off."""
        update, self._update = self._update, None
        if update is not None:
            update()

    def _losing(self, name: str) -> Any:
        function = getattr(F, name)

        @functools.wraps(function)
        def losing(*args: Any, **kwargs: Any) -> Any:
            if self._closer is None and args and isinstance(args[0], Tensor):
                self._end(args[0])
            value = function(*args, **kwargs)
            if isinstance(value, Tensor):
                for line in set(self.lines.values()):
                    line.wish(value)
            return value

        return losing

    def _making(self, owner: Any) -> Any:
        made = owner.__init__

        @functools.wraps(made)
        def making(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            made(optimizer, *args, **kwargs)
            self.index(optimizer)

        return making

    def index(self, optimizer: Optimizer) -> int:
        """The index of an optimizer among those that were met; -1 beyond the cap."""
        known = next((i for i, o in enumerate(self.optimizers) if o is optimizer), -1)
        if known >= 0 or len(self.optimizers) >= OPTIMIZERS_CAP:
            return known
        self.optimizers.append(optimizer)
        return len(self.optimizers) - 1

    def _zeroing(self, owner: Any) -> Any:
        method = owner.zero_grad

        @functools.wraps(method)
        def zeroing(who: Any, *args: Any, **kwargs: Any) -> Any:
            self.letter("z")
            if self.mend == "late" and self._waiting:
                self._owed = functools.partial(method, who, *args, **kwargs)
                return None
            return method(who, *args, **kwargs)

        return zeroing

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Within, whatever is called is followed; afterwards torch is as it was."""
        hooks = [
            register_module_forward_pre_hook(self._entering),
            register_module_forward_hook(self._leaving, always_call=True),
            register_optimizer_step_pre_hook(self._stepping),
            register_optimizer_step_post_hook(self._stepped),
        ]
        put: list[tuple[Any, str, Any]] = [
            *((o, n, self._using(getattr(o, n), product=True)) for o, n in PRODUCTS),
            *((o, n, self._using(getattr(o, n), product=False)) for o, n in SUMS),
            *((F, name, self._losing(name)) for name in LOSSES),
            (Optimizer, "__init__", self._making(Optimizer)),
            (Optimizer, "zero_grad", self._zeroing(Optimizer)),
            (nn.Module, "zero_grad", self._zeroing(nn.Module)),
            *((torch.amp.GradScaler, n, self._counting(n)) for n in SCALER),
        ]
        inherited = object()
        before = [(owner, name, vars(owner).get(name, inherited)) for owner, name, _ in put]
        for owner, name, new in put:
            setattr(owner, name, new)
        try:
            yield
        finally:
            self._abandon()
            for owner, name, old in before:
                if old is inherited:
                    delattr(owner, name)
                else:
                    setattr(owner, name, old)
            for hook in hooks:
                hook.remove()
            for line in self.lines.values():
                line.state()

    # --- what was seen ---------------------------------------------------------------------------

    def line_of(self, network: nn.Module) -> Line:
        """The calls of `network`, and of a module around it that has the same parameters."""
        if id(network) in self.lines:
            return self.lines[id(network)]
        own = {id(p) for p in parameters_of(network)}
        for line in self.lines.values():
            if {id(p) for p in line.parameters} == own:
                return line
        return Line(self, network)

    def line_for(self, network: nn.Module) -> Line:
        """The calls of `network`; where it was never trained, those of the last network that was,
        while the name was bound to it: a name may be bound anew once the training is over.
        """
        line = self.line_of(network)
        own = [known for known in self._networks() if known.named]
        trained = [known for known in own if any(c.pulls for c in known.calls)]
        return line if not trained or any(c.pulls for c in line.calls) else trained[-1]

    def report(self, network: nn.Module) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """What `network` (see `line_for`) went through, as plain data and tensors.

        Data: `shapes` of its parameters; `calls`, a list of [rows, span, training, grad, graph,
        pulls, moved, state, kept, alive, begun, pulled] each; `dirty` and `dtypes` of the calls;
        `steps`, a list of [call, at, optimizer, span, held, given, before, after, kept, moved]
        each, with their `norms` and `rates`; `optimizers` (see `_described`, and
        whether it `stepped`); `spans`; `still`, the
        parameter tensors that never moved; `letters`; `opening`; its `turn` among the networks that
        were trained, from 0, else -1; `strangers`, `unfollowed` and the calls of any `scaler`.
        `kept` counts the calls (or gradients) whose tensors follow, else -1.
        Tensors: see `packed`; and `prints`, one number an image, of all calls in order.
        """
        line = self.line_for(network)
        line.state()
        key = next((k for k, known in self.lines.items() if known is line), 0)
        pack = packed(line)
        tensors = pack.tensors
        data = {
            "shapes": [list(p.shape) for p in line.parameters][:64],
            "calls": [
                [
                    c.rows,
                    c.span,
                    int(c.training),
                    int(c.grad),
                    int(c.graph),
                    c.pulls,
                    int(line.moved[i]),
                    pack.states.get(c.state, -1),
                    pack.calls.get(i, -1),
                    c.alive,
                    c.begun,
                    c.pulled,
                ]
                for i, c in enumerate(line.calls)
            ],
            "dirty": [finite(c.dirty) for c in line.calls],
            "dtypes": sorted({c.dtype for c in line.calls if c.dtype}),
            "steps": [
                [
                    s.call,
                    s.at,
                    s.optimizer,
                    s.span,
                    s.held,
                    s.given,
                    pack.states.get(s.before, -1),
                    pack.states.get(s.after, -1),
                    pack.steps.get(i, -1),
                    int(s.moved),
                ]
                for i, s in enumerate(line.steps)
            ],
            "norms": [finite(s.norm) for s in line.steps],
            "rates": [[finite(r) for r in s.rates] for s in line.steps],
            "optimizers": [
                {**_described(o, line.parameters), "stepped": i in self.stepped}
                for i, o in enumerate(self.optimizers)
            ],
            "spans": [
                {
                    "function": s.function,
                    "first": s.first.get(key, 0),
                    "last": s.last.get(key, s.first.get(key, 0)),
                    "returned": s.returned,
                    "ended": s.ended,
                    "depth": s.depth,
                    "letter": s.letter,
                }
                for s in self.spans
            ],
            "still": _unmoved(line),
            "letters": "".join(self.letters),
            "opening": [[finite(v) for v in figures] for figures in line.opening],
            "turn": self.opened.index(line) if line in self.opened else -1,
            "strangers": self.strangers,
            "unfollowed": self.unfollowed,
            "scaler": self.scaler,
        }
        prints = [c.print for c in line.calls if c.print is not None]
        tensors["prints"] = torch.cat(prints) if prints else torch.zeros(0, dtype=torch.float64)
        return data, tensors


@dataclass
class _Pack:
    """A network's tensors as they leave the process, and where in them its calls and steps are:
    by the index of a call, a step or a state, its place among those that are sent.
    """

    calls: dict[int, int]
    steps: dict[int, int]
    states: dict[int, int]
    tensors: dict[str, Tensor]


def packed(line: Line) -> _Pack:
    """The tensors of one network's calls and steps.

    `columns` (V,) the pixels that vary; `constant` (pixels,) the others' values, and 0 where they
    vary; `inputs` (R, V) the images of the kept calls; `pulls` (R, C) of these, zeros where none
    came back; `answers` (A, C) of the calls that `answered` (K,) counts the rows of, 0 for none,
    and the `aims` (A,) of their pulls (see `_aims`).

    `states` (S, D) the weights, `gradients` (G, D) of the kept steps, `deltas` (K, D) of the kept
    calls where the trace is to tell. Where the first layer takes the pixels, D are its columns that
    vary and all other parameters, and `offsets` (S, H) what the constant pixels add to it. For any
    other network they are sketches: every number is added, with a sign, to one of `SKETCH` sums, so
    that a combination of vectors is the same combination of their sketches. (Charikar, Chen and
    Farach-Colton, "Finding frequent items in data streams", 2002.)
    """
    pack = _Pack({}, {}, {}, {})
    out = pack.tensors
    told = [c for c in line.calls if c.answers is not None]
    width = {c.answers.shape[1] for c in told if c.answers is not None}
    if len(width) == 1:
        out["answers"] = torch.cat([c.answers for c in told if c.answers is not None])
        answered = [0 if c.answers is None else len(c.answers) for c in line.calls]
        out["answered"] = torch.tensor(answered)
        out["aims"] = torch.cat([_aims(c) for c in told])
    kept = [i for i, c in enumerate(line.calls) if c.images is not None]
    images = [c.images for c in line.calls if c.images is not None]
    if (
        not images
        or not line.parameters
        or len(width) != 1
        or len({i.shape[1] for i in images}) > 1
    ):
        return pack
    seen, classes = torch.cat(images), width.pop()
    varies = (seen != seen[0]).any(0)
    columns, constant = varies.nonzero().flatten(), seen[0].masked_fill(varies, 0.0)
    pack.calls = {i: k for k, i in enumerate(kept)}
    held = [(i, s.gradient) for i, s in enumerate(line.steps) if s.gradient is not None]
    pack.steps = {i: k for k, (i, _) in enumerate(held)}
    opening = {(c.span, c.grad): c.state for c in reversed(line.calls)}  # the first of each kind
    looks = [*opening.values(), *(line.calls[i].state for i in kept)]
    ends = [n for i, _ in held for n in (line.steps[i].before, line.steps[i].after)]
    wanted = sorted({0, *looks, *ends, len(line.states) - 1} & set(range(len(line.states))))
    pack.states = {n: k for k, n in enumerate(wanted)}
    states = [line.states[n] for n in wanted]
    cut, size = _cut(line, columns, seen.shape[1])
    pulls = [line.calls[i].pull for i in kept]
    out |= {
        "columns": columns,
        "constant": constant,
        "inputs": seen[:, columns],
        "pulls": torch.cat(
            [
                torch.zeros(len(x), classes) if p is None else p
                for x, p in zip(images, pulls, strict=True)
            ]
        ),
        "states": torch.stack([cut(s) for s in states]),
        "gradients": torch.stack([cut(g) for _, g in held]) if held else torch.zeros(0, size),
    }
    if not any(c.pulls for c in line.calls) and any(c.wish is not None for c in line.calls):
        wishes = [(line.calls[i].wish, x) for i, x in zip(kept, images, strict=True)]
        out["wishes"] = torch.cat(
            [torch.zeros(len(x), classes) if w is None else w for w, x in wishes]
        )
    first = line.parameters[0]
    if _takes(line, seen.shape[1]):
        heads = [s[: first.numel()].reshape(first.shape).double() for s in states]
        out["offsets"] = torch.stack([(h @ constant.double()).float() for h in heads])
    if line.trace.tell:
        deltas = [line.calls[i].delta for i in kept]
        out["deltas"] = torch.stack([torch.zeros(size) if d is None else cut(d) for d in deltas])
    return pack


def _aims(call: Call) -> Tensor:
    """The class (B,) that each answer of a call was pulled to, -1 where no pull came: the largest
    of the targets q, as the pull of a mean cross-entropy is (p - q) / B. Of any other loss it is
    what was pushed up most.
    """
    assert call.answers is not None
    if call.pull is None or not call.pulls:
        return torch.full((len(call.answers),), -1)
    return (call.answers.softmax(1) - call.pull * len(call.answers)).argmax(1)


SKETCH = 4096
"""Sums in a sketch: hundreds of times as many as vectors that are ever combined."""


def _takes(line: Line, pixels: int) -> bool:
    """Whether a network's first parameter is a linear layer's that takes the pixels."""
    first = line.parameters[0]
    return first.ndim == 2 and first.shape[1] == pixels and not line.trace.tell


def _cut(line: Line, columns: Tensor, pixels: int) -> tuple[Callable[[Tensor], Tensor], int]:
    """What makes a vector (P,) one of (D,), and D."""
    own = line.parameters
    first, total = own[0], sum(p.numel() for p in own)
    if _takes(line, pixels):

        def head(vector: Tensor) -> Tensor:
            part = vector[: first.numel()].reshape(first.shape)
            return torch.cat([part[:, columns].reshape(-1), vector[first.numel() :]])

        return head, len(columns) * len(first) + total - first.numel()
    drawn = torch.Generator().manual_seed(line.trace.seed)
    place = torch.randint(0, SKETCH, (total,), generator=drawn)
    sign = torch.randint(0, 2, (total,), generator=drawn).double() * 2 - 1

    def sketch(vector: Tensor) -> Tensor:
        sums = torch.zeros(SKETCH, dtype=torch.float64)
        return sums.index_add_(0, place, vector.double() * sign).float()

    return sketch, SKETCH


def _unmoved(line: Line) -> list[int]:
    """The parameter tensors that are the same in all weights that were kept."""
    if len(line.states) < 2:
        return []
    sizes = [p.numel() for p in line.parameters]
    parts = [torch.split(s, sizes) for s in line.states if s.numel() == sum(sizes)]
    return [i for i in range(len(sizes)) if all(torch.equal(p[i], parts[0][i]) for p in parts)]


def mode_of(network: nn.Module) -> bool:
    """Whether a network is in training mode: where it has layers that behave differently then,
    whether any of them is, except batch norm that somebody froze.
    """
    layers = [m for m in network.modules() if isinstance(m, _DROPOUTS)]
    if layers:
        return any(m.training for m in layers)
    inner = network
    while len(list(inner.children())) == 1 and not list(inner.parameters(recurse=False)):
        child = next(inner.children())
        if not list(child.children()):
            break
        inner = child  # a wrapper: torch.compile's, DataParallel, a Sequential of one
    return inner.training


_DROPOUTS = (nn.modules.dropout._DropoutNd,)  # noqa: SLF001 - the base class of all dropouts


def parameters_of(network: nn.Module) -> list[Tensor]:
    """The parameters that a network lists; where it lists none, those of the modules and tensors
    that it keeps in attributes, lists and dictionaries of its own, in their order.
    """
    listed: list[Tensor] = list(network.parameters())
    return listed or _kept(vars(network), 4)


def _kept(value: Any, depth: int) -> list[Tensor]:
    if isinstance(value, nn.Module):
        return list(value.parameters())
    if isinstance(value, Tensor):
        return [value] if value.requires_grad and value.is_leaf else []
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, (list, tuple)) or not depth:
        return []
    found = [p for v in value[:100] for p in _kept(v, depth - 1)]
    return list({id(p): p for p in found}.values())


def gradient_norm(parameters: list[Tensor]) -> float:
    """Euclidean norm over all gradients; 0.0 where there are none."""
    found = [p.grad.detach().float().norm() for p in parameters if p.grad is not None]
    return float(torch.stack(found).norm()) if found else 0.0


def _is(tensor: Tensor, parameter: Tensor) -> bool:
    """Whether a tensor is a parameter, or a view of all of it: `w.T`, `w.detach()`."""
    if tensor is parameter:
        return True
    if tensor.numel() != parameter.numel() or type(tensor) not in (Tensor, nn.Parameter):
        return False
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):  # noqa: SLF001 - no storage there
        return False
    place = tensor.data_ptr()
    return place != 0 and place == parameter.data_ptr()


def _rows(operands: list[Tensor], weight: Tensor, product: Tensor) -> Tensor | None:
    """The operand whose rows are images, of those that a weight was multiplied by: as many rows as
    the product has, each as long as a side of the weight.
    """
    fit = [x for x in operands if x.ndim > 1 and not (x.is_leaf and x.requires_grad)]
    fit = [x for x in fit if x.shape[:1] == product.shape[:1]]
    if weight.ndim == 2:  # else it was used in another shape than its own
        fit = [x for x in fit if x.shape[-1] in weight.shape]
    return fit[-1] if fit else None


def _columns(operands: list[Tensor], weight: Tensor, product: Tensor) -> Tensor | None:
    """The same where the product has a column for each image, as rows: `weight @ x.T`."""
    fit = [x for x in operands if x.ndim == 2 and not (x.is_leaf and x.requires_grad)]
    turned = [x.T for x in fit if x.shape[0] in weight.shape]  # else as an einsum takes them
    fit = [x for x in (*fit, *turned) if x.shape[1] in weight.shape]
    fit = [x for x in fit if product.ndim == 2 and len(x) == product.shape[1]]
    return fit[-1] if fit else None


def _part(module: nn.Module, own: list[Tensor]) -> tuple[Tensor, Tensor] | None:
    """The first and the last parameter of a part of the network whose parameters are `own`; None
    of a module that is no part of it, or is all of it.
    """
    held = list(module.parameters())
    ids = {id(p) for p in own}
    inner = bool(held) and len(held) < len(own) and all(id(p) in ids for p in held)
    return (held[0], held[-1]) if inner else None


def _described(optimizer: Optimizer, own: list[Tensor]) -> dict[str, Any]:
    """An optimizer as plain data: its type, whether it is torch's own, its groups' settings, and
    for each parameter tensor of the network the group it is in, -1 for none.
    """
    holder = {id(p): g for g, group in enumerate(optimizer.param_groups) for p in group["params"]}
    settings = []
    for group in optimizer.param_groups[:8]:
        told: dict[str, Any] = {}
        for name, value in group.items():
            if isinstance(value, (bool, int, float)) or value is None:
                told[str(name)[:40]] = finite(value) if isinstance(value, float) else value
            elif isinstance(value, tuple) and all(isinstance(v, (int, float)) for v in value):
                told[str(name)[:40]] = [finite(float(v)) for v in value]
        settings.append(told)
    return {
        "type": type(optimizer).__name__[:80],
        "known": type(optimizer).__module__.startswith("torch.optim"),
        "groups": settings,
        "member": [holder.get(id(p), -1) for p in own][:64],
        "held": sum(id(p) in holder for p in own),
    }
