"""The secret inputs of this assignment, and what its well-known mistakes compute for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.checks.calls import Case, Own, Run, Tensor, Var, call, do, own, run, see

from . import probes

Array = np.ndarray[Any, Any]


def _normal(rng: np.random.Generator, *shape: int, dtype: str = "float64", by: float = 1) -> Array:
    return np.asarray(by * rng.normal(size=shape), dtype=dtype)


# -- task 1 ----------------------------------------------------------------------------------------


def logits(rng: np.random.Generator) -> Iterator[Case]:
    """Logits of the usual size."""
    yield call(_normal(rng, 4, 5, by=2))
    yield call(_normal(rng, 6, 3, dtype="float32", by=2))


def far_logits(rng: np.random.Generator) -> Iterator[Case]:
    """Logits of ±10,000 beside small ones; a row that is low throughout."""
    noise = _normal(rng, 1, 3)[0]
    rows = [[1e4, 0, -1e4], [0, 0, 0], [-1e4, -1e4, -1e4], [-1e4, *noise[:2]], noise]
    for dtype in ("float64", "float32"):
        yield call(np.array(rows, dtype=dtype))


# -- task 2 ----------------------------------------------------------------------------------------


def classified(rng: np.random.Generator) -> Iterator[Case]:
    """Logits and classes."""
    # Logits this small leave every class a share above 1/200: 1e-9 added in the logarithm, which is
    # the business of far_classified, then moves a gradient by less than 2e-7 of its size.
    sure = call(_normal(rng, 6, 4).clip(-2, 2), rng.integers(0, 4, 6))
    yield replace(sure, tolerance=1e-6)
    yield call(_normal(rng, 5, 3, dtype="float32", by=2), rng.integers(0, 3, 5))


def far_classified(rng: np.random.Generator) -> Iterator[Case]:
    """Samples whose true class is far from the largest logit, or is the largest by far."""
    rows = np.array([[1e4, 0, -1e4], [0, 1e4, 0], [*_normal(rng, 2), -1e4], [-1e4, -1e4, -1e4]])
    for dtype in ("float64", "float32"):
        yield call(rows.astype(dtype), np.array([2, 1, 2, 0]))
        yield call(rows[:1].astype(dtype), np.array([0]))


def wrong_arguments(rng: np.random.Generator) -> Iterator[Case]:
    """What cross_entropy has to refuse."""
    table = _normal(rng, 4, 3)
    classes = rng.integers(0, 3, 4)
    yield call(table[0], classes[:1]).refused()
    yield call(_normal(rng, 4, 3, 2), classes).refused()
    yield call(table, classes[:3]).refused()
    yield call(table, rng.integers(0, 3, 5)).refused()
    yield call(table, classes.astype("float64")).refused()


def _log_softmax(z: Array) -> Array:
    z = np.asarray(z, dtype="float64")
    z = z - z.max(1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(1, keepdims=True)))


def over_samples(z: Array) -> Array:
    """Over the samples in place of the classes."""
    return _log_softmax(np.asarray(z).T).T


def _cross_entropies(z: Array, classes: Array) -> Array:
    return np.asarray(-_log_softmax(z)[np.arange(len(z)), classes])


def softmax_first(z: Array, classes: Array) -> float:
    """The logits go through a softmax before the loss."""
    return float(_cross_entropies(np.exp(_log_softmax(z)), classes).mean())


def summed(z: Array, classes: Array) -> float:
    """The sum over the batch."""
    return float(_cross_entropies(z, classes).sum())


def over_all_entries(z: Array, classes: Array) -> float:
    """The mean over batch and classes."""
    return float(_cross_entropies(z, classes).sum() / z.size)


def entropy_over_samples(z: Array, classes: Array) -> float:
    """With a softmax over the samples."""
    return float(-over_samples(z)[np.arange(len(z)), classes].mean())


# -- task 3 ----------------------------------------------------------------------------------------


def pairs(rng: np.random.Generator) -> Iterator[Case]:
    """Predictions and targets with one dimension, three and none."""
    for shape in ((7,), (3, 2, 4), ()):
        yield call(_normal(rng, *shape), _normal(rng, *shape))
    yield call(_normal(rng, 9, dtype="float32"), _normal(rng, 9, dtype="float32"))


def other_shapes(rng: np.random.Generator) -> Iterator[Case]:
    """Shapes that broadcast, and are not the same."""
    for one, other in (((6, 1), (6,)), ((6,), (6, 1)), ((3, 4), (4,)), ((5,), (1,))):
        yield call(_normal(rng, *one), _normal(rng, *other)).refused()


def halved(pred: Array, target: Array) -> float:
    """Half of it, as some books have it."""
    return float(((np.asarray(pred) - target) ** 2).mean() / 2)


# -- task 4 ----------------------------------------------------------------------------------------


def answers(rng: np.random.Generator) -> Iterator[Case]:
    """Answers that are yes or no, and answers in between."""
    yield call(_normal(rng, 4, 3, by=2), rng.integers(0, 2, (4, 3)).astype("float64"))
    yield call(_normal(rng, 5, by=2), rng.uniform(size=5))
    soft = rng.uniform(size=(3, 4)).astype("float32")
    yield call(_normal(rng, 3, 4, dtype="float32", by=2), soft)


def far_answers(rng: np.random.Generator) -> Iterator[Case]:
    """Logits of ±10,000, right ones and wrong ones, and one of 0."""
    z = np.array([1e4, 1e4, -1e4, -1e4, 0.0, 60.0, -60.0])
    targets = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    for dtype in ("float64", "float32"):
        yield call(z.astype(dtype), targets.astype(dtype))
    yield call(z[[0, 3]], targets[[0, 3]])
    yield call(np.array([[1e4, float(rng.normal())]]), np.array([[0.25, 0.75]]))


def other_shapes_of_answers(rng: np.random.Generator) -> Iterator[Case]:
    """Shapes that broadcast, and are not the same."""
    for one, other in (((6, 1), (6,)), ((4, 3), (3,))):
        yield call(_normal(rng, *one), rng.uniform(size=other)).refused()


def _bce(z: Array, t: Array) -> Array:
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - t * z)


def sigmoid_first(z: Array, t: Array) -> float:
    """The logits go through a sigmoid before the loss."""
    z = np.asarray(z, dtype="float64")
    return float(_bce(0.5 + 0.5 * np.tanh(z / 2), t).mean())


def summed_over_answers(z: Array, t: Array) -> float:
    """The sum over the answers of a sample, the mean over samples."""
    z = np.asarray(z, dtype="float64")
    return float(_bce(z, t).sum() / len(z))


# -- tasks 5 to 7: runs of an optimizer ------------------------------------------------------------

PLAIN = "float32"
"""What parameters usually are."""
TINY = 1e-14
"""An eps that changes no step: even under the root, where √(v + eps) is √v · (1 + eps / 2v)."""


def _parameter(values: Array) -> Tensor:
    return Tensor(np.asarray(values, dtype=PLAIN), requires_grad=True)


def _rate(rng: np.random.Generator, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 4)


def _network(rng: np.random.Generator, new: Callable[..., Case], steps: int = 20) -> Run:
    """A small network that is fitted: W (2, 3), b (3,), V (3, 1)."""
    let = {
        "W": _parameter(_normal(rng, 2, 3)),
        "b": _parameter(_normal(rng, 3)),
        "V": _parameter(_normal(rng, 3, 1)),
    }
    params = [Var("W"), Var("b"), Var("V")]
    data = _normal(rng, 8, 2, dtype=PLAIN), _normal(rng, 8, 1, dtype=PLAIN)
    beats = [own("fit", params, *data), do("step")]
    looks = [see("W"), see("b"), see("V")]
    taken = beats + looks + beats * 3 + looks + beats * (steps - 4) + looks
    return run(new(params), *taken, **let)


def _pair(
    rng: np.random.Generator, new: Callable[..., Case], scale: float = 1, steps: int = 6
) -> Run:
    """Two parameters of one shape, each pulled to a goal of its own."""
    let = {"a": _parameter(_normal(rng, 3)), "b": _parameter(3 + _normal(rng, 3))}
    params = [Var("a"), Var("b")]
    goals = [_normal(rng, 3, dtype=PLAIN), _normal(rng, 3, dtype=PLAIN, by=4)]
    beats = [own("pull", params, goals, scale), do("step")]
    looks = [see("a"), see("b")]
    return run(new(params), *(beats + looks), *(beats * (steps - 1) + looks), **let)


def plain_walks(rng: np.random.Generator) -> Iterator[Run]:
    """SGD without anything."""
    lr = _rate(rng, 0.05, 0.2)
    yield _network(rng, lambda p: call(p, lr=lr))
    yield _pair(rng, lambda p: call(p, lr))


def momentum_walks(rng: np.random.Generator) -> Iterator[Run]:
    """SGD with momentum."""
    lr, m = _rate(rng, 0.02, 0.1), _rate(rng, 0.6, 0.95)
    yield _pair(rng, lambda p: call(p, lr=lr, momentum=m))
    yield _network(rng, lambda p: call(p, lr=lr, momentum=m))


def decaying_walks(rng: np.random.Generator) -> Iterator[Run]:
    """SGD with decay; and steps in which decay is all there is."""
    lr, decay, m = _rate(rng, 0.05, 0.2), _rate(rng, 0.1, 0.4), _rate(rng, 0.5, 0.9)
    yield _pair(rng, lambda p: call(p, lr=lr, weight_decay=decay))
    let = {"a": _parameter(_normal(rng, 4)), "b": _parameter(_normal(rng, 2))}
    params = [Var("a"), Var("b")]
    beats = [own("still", params), do("step"), see("a"), see("b")]
    yield run(call(params, lr=lr, weight_decay=decay), *beats, *beats, **let)
    yield _pair(rng, lambda p: call(p, lr=lr, momentum=m, weight_decay=decay))


def odd_parameters(rng: np.random.Generator) -> Iterator[Run]:
    """Parameters from a generator; one that has no gradient; what clearing leaves."""
    let = {k: _parameter(_normal(rng, 3)) for k in "abc"}
    params = [Var("a"), Var("b"), Var("c")]
    goals = [_normal(rng, 3, dtype=PLAIN) for _ in params]
    looks = [see("a"), see("b"), see("c")]
    beats = [own("pull", params, goals, 1.0), do("step"), *looks]
    lr = _rate(rng, 0.1, 0.3)
    yield run(call(Own("generator")(params), lr=lr), *beats, *beats, **let)
    pull = own("pull", [Var("a"), Var("c")], goals[:2], 1.0)
    yield run(
        call(params, lr=lr),
        *(do("zero_grad"), pull, do("step"), *looks),
        *(do("zero_grad"), own("cleared", params), own("leaves", params)),
        *(pull, do("step"), *looks),
        **let,
    )


def adam_walks(rng: np.random.Generator) -> Iterator[Run]:
    """Adam on parameters of unlike shapes, and with betas of its own. Where eps stands is asked
    in `adam_scales`: here it is too small to matter.
    """
    lr = _rate(rng, 0.02, 0.1)
    yield _network(rng, lambda p: call(p, lr=lr, eps=TINY))
    betas = (_rate(rng, 0.6, 0.85), _rate(rng, 0.9, 0.99))
    yield _pair(rng, lambda p: call(p, lr=lr, betas=betas, eps=TINY))


def adam_scales(rng: np.random.Generator) -> Iterator[Run]:
    """Gradients of a millionth and of a thousand."""
    for scale in (1e-6, 1e3):
        lr = _rate(rng, 0.02, 0.1)
        yield _pair(rng, lambda p, lr=lr: call(p, lr=lr), scale)
    eps = _rate(rng, 0.01, 0.1)
    yield _pair(rng, lambda p: call(p, lr=lr, eps=eps))


def adamw_walks(rng: np.random.Generator) -> Iterator[Run]:
    """AdamW with as much decay as can be seen, and with the decay that it has by itself."""
    lr, decay = _rate(rng, 0.02, 0.1), _rate(rng, 0.2, 0.6)
    yield _network(rng, lambda p: call(p, lr=lr, weight_decay=decay, eps=TINY))
    yield _pair(rng, lambda p: call(p, lr=lr, weight_decay=decay, eps=TINY))
    yield _pair(rng, lambda p: call(p, lr=10 * lr, eps=TINY))


# -- known mistakes of optimizers: an optimizer that makes them takes the steps of the run --------

Update = Callable[["_Optimizer", int, Any], Any]


class _Optimizer:
    """An optimizer whose rule is given: what is taken off parameter k, at its gradient g."""

    def __init__(self, rule: Update, params: Sequence[Any], lr: float = 1e-3, **options: Any):
        self.rule, self.params, self.lr, self.options = rule, list(params), lr, options
        self.t = 0
        self.memory: list[dict[str, Any]] = [{} for _ in self.params]

    def step(self) -> None:
        import torch

        self.t += 1
        with torch.no_grad():
            for k, p in enumerate(self.params):
                if p.grad is not None:
                    p -= self.rule(self, k, p.grad)

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    def mean(self, k: int, name: str, beta: float, g: Any) -> Any:
        """A moving mean from 0."""
        self.memory[k][name] = beta * self.memory[k].get(name, 0) + (1 - beta) * g
        return self.memory[k][name]


def _taken(one: Run, rule: Update) -> list[Any]:
    """What the run's steps show, where an optimizer with this rule takes them."""
    import torch

    def made(value: Any) -> Any:
        if isinstance(value, Var):
            return held[value.name]
        if isinstance(value, Own):
            return getattr(probes, value.name)(*map(made, value.args or ()))
        if isinstance(value, Tensor):
            return torch.tensor(value.data, requires_grad=value.requires_grad)
        if isinstance(value, np.ndarray):
            return torch.tensor(value)
        return [made(v) for v in value] if isinstance(value, list) else value

    held: dict[str, Any] = {}
    held.update({k: made(v) for k, v in one.let.items()})
    optimizer = _Optimizer(rule, *map(made, one.new.args), **dict(one.new.kwargs))
    shown = []
    for step in one.steps:
        if step.kind == "see":
            shown.append(held[step.name].detach().clone())
        elif step.kind == "own":
            answer = getattr(probes, step.name)(*map(made, step.args))
            shown += [] if answer is None else [answer]
        else:
            getattr(optimizer, step.name)()
    return shown


def nothing_moves(one: Run) -> list[Any]:
    """The step changes other tensors than the parameters."""
    return _taken(one, lambda o, k, g: 0 * g)


def only_the_first_step(one: Run) -> list[Any]:
    """The generator is empty after one step, or after `zero_grad`."""
    return _taken(one, lambda o, k, g: o.lr * g if o.t == 1 else 0 * g)


def mean_momentum(one: Run) -> list[Any]:
    """The gradient enters the velocity with weight 1 - momentum."""
    return _taken(one, lambda o, k, g: o.lr * o.mean(k, "v", o.options["momentum"], g))


def _sgd(o: _Optimizer, k: int, g: Any, *, decays: int = 1, pull: float | None = None) -> Any:
    w, momentum = o.params[k], o.options.get("momentum", 0.0)
    decay = o.options.get("weight_decay", 0.0)
    g = g + decays * decay * w
    o.memory[k]["v"] = momentum * o.memory[k].get("v", 0) + g
    return o.lr * o.memory[k]["v"] + (0 if pull is None else pull * decay * w)


def decays_twice(one: Run) -> list[Any]:
    """The decay is added to the gradient and taken off the weight as well."""
    return _taken(one, lambda o, k, g: _sgd(o, k, g, pull=o.lr))


def decay_twice_as_large(one: Run) -> list[Any]:
    """The gradient of λw², which is twice λw."""
    return _taken(one, lambda o, k, g: _sgd(o, k, g, decays=2))


def decay_without_rate(one: Run) -> list[Any]:
    """Each step takes λw off, whatever the rate."""
    return _taken(one, lambda o, k, g: _sgd(o, k, g, decays=0, pull=1.0))


def _adam(
    o: _Optimizer, k: int, g: Any, *, t: int = 0, corrected: bool = True, root: bool = False
) -> Any:
    beta1, beta2 = o.options.get("betas", (0.9, 0.999))
    eps = o.options.get("eps", 1e-8)
    t = t or o.t
    m, v = o.mean(k, "m", beta1, g), o.mean(k, "v", beta2, g * g)
    if corrected:
        m, v = m / (1 - beta1**t), v / (1 - beta2**t)
    return o.lr * m / ((v + eps).sqrt() if root else v.sqrt() + eps)


def no_correction(one: Run) -> list[Any]:
    """The moving means as they are."""
    return _taken(one, lambda o, k, g: _adam(o, k, g, corrected=False))


def clock_of_parameters(one: Run) -> list[Any]:
    """The clock ticks once for each parameter."""
    return _taken(one, lambda o, k, g: _adam(o, k, g, t=(o.t - 1) * len(o.params) + k + 1))


def eps_under_the_root(one: Run) -> list[Any]:
    """√(v̂ + eps) in place of √v̂ + eps."""
    return _taken(one, lambda o, k, g: _adam(o, k, g, root=True))


def decay_in_the_gradient(one: Run) -> list[Any]:
    """Adam with λw in the gradient."""
    return _taken(
        one, lambda o, k, g: _adam(o, k, g + o.options.get("weight_decay", 0.01) * o.params[k])
    )


def _decayed(o: _Optimizer, k: int) -> Any:
    return o.lr * o.options.get("weight_decay", 0.01) * o.params[k]


def no_correction_and_decay(one: Run) -> list[Any]:
    """AdamW on the moving means as they are."""
    return _taken(one, lambda o, k, g: _decayed(o, k) + _adam(o, k, g, corrected=False))


def clock_and_decay(one: Run) -> list[Any]:
    """AdamW with a clock that ticks once for each parameter."""

    def rule(o: _Optimizer, k: int, g: Any) -> Any:
        return _decayed(o, k) + _adam(o, k, g, t=(o.t - 1) * len(o.params) + k + 1)

    return _taken(one, rule)


def pull_without_rate(one: Run) -> list[Any]:
    """λw is taken off whatever the rate."""

    def rule(o: _Optimizer, k: int, g: Any) -> Any:
        decay = o.options.get("weight_decay", 0.01)
        return _adam(o, k, g) + decay * o.params[k]

    return _taken(one, rule)


# -- task 8 ----------------------------------------------------------------------------------------


def walks(rng: np.random.Generator) -> Iterator[Case]:
    """Walks of PyTorch's own SGD over parameters of unlike shapes."""
    for shapes, momentum in ((((2, 3), (2,)), 0.0), (((3,),), 0.8)):
        starts = [_normal(rng, *s) for s in shapes]
        goals = [_normal(rng, *s) for s in shapes]
        optimizer = Own("walker")(starts, _rate(rng, 0.1, 0.3), momentum)
        yield call(optimizer, Own("walker_params")(), Own("walker_loss")(goals), 7)


def _walked(optimizer: Own, loss: Own, steps: int, *, cleared: bool) -> Array:
    import torch

    starts, lr, momentum = optimizer.args or ()
    goals = [torch.tensor(g) for g in (loss.args or ())[0]]
    params = [torch.tensor(s, requires_grad=True) for s in starts]
    sgd = torch.optim.SGD(params, lr=lr, momentum=momentum)
    rows = [torch.cat([p.detach().flatten() for p in params])]
    for _ in range(steps):
        if cleared:
            sgd.zero_grad()
        probes.distance(params, goals).backward()
        sgd.step()
        rows.append(torch.cat([p.detach().flatten() for p in params]))
    return np.array([r.numpy() for r in rows])


def all_at_the_end(optimizer: Own, params: Own, loss: Own, steps: int) -> Array:
    """Every row is the live tensor, and so the last place."""
    path = _walked(optimizer, loss, steps, cleared=True)
    return np.broadcast_to(path[-1], path.shape)


def walked_uncleared(optimizer: Own, params: Own, loss: Own, steps: int) -> Array:
    """The gradients of all steps so far."""
    return _walked(optimizer, loss, steps, cleared=False)
