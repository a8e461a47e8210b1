"""What only the clinic needs: cures that are judged as a whole, and its instruments' inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.checks import (
    Context,
    Evidence,
    Outcome,
    ProbeRequest,
    StandardCheck,
    Status,
    check,
    field_of,
    place,
    probe,
    registry,
    require,
    tensor_of,
)
from autograder.checks.calls import Case, Own, call
from autograder.checks.forms import FunctionForm
from autograder.checks.loops import Loop, beats, clearing, graphs, loss_of, mode, objective, raised

Array = np.ndarray[Any, Any]
CLASSES, INPUTS, HIDDEN = 10, 64, (32, 24)
BATCHES = 60
ACCURATE = 0.9
"""Of well-separated classes; a proper loss gets all of them, the patient's one in ten."""


def _failed(outcome: Outcome) -> bool:
    return outcome.status is not Status.PASSED


def _loop_of(ctx: Context, form: FunctionForm, evidence: Evidence) -> Loop:
    done = require(evidence)
    return Loop(form.read(ctx, done), form.function, form.fixture(ctx).batches)


def _error_of(loop: Loop) -> Outcome | None:
    error = loop.replay.data.get("raised")
    return raised(error) if isinstance(error, Mapping) else None


# -- cures of loops --------------------------------------------------------------------------------

LOOP_BUGS = (
    "missing_zero_grad",
    "zero_grad_after_backward",
    "missing_step",
    "missing_backward",
    "step_before_backward",
    "stale_optimizer",
    "softmax_before_cross_entropy",
    "sum_instead_of_mean",
    "missing_train_mode",
    "mean_of_batch_means",
    "loss_divided_twice",
    "loss_graph_accumulated",
    "wrong_value",
    "missing_name",
)


def _trains(loop: Loop, *, returns: bool = True) -> Outcome:
    """The first thing that is wrong with a training loop, or that nothing is."""
    if error := _error_of(loop):
        return error
    judges: list[Callable[[Loop], Outcome]] = [
        clearing,
        lambda made: beats(made, group=max(made.batches)),
        objective,
        mode,
        graphs,
    ]
    for judge in [*judges, *([loss_of] if returns else [])]:
        outcome = judge(loop)
        if outcome.status not in (Status.PASSED, Status.NOT_CHECKED):
            return outcome
    return Outcome.passed()


EPOCH_1 = FunctionForm("epoch_1", ("model", "loader", "loss_fn", "optimizer"))
EPOCH_3 = FunctionForm("epoch_3", ("model", "loader", "loss_fn", "optimizer", "device"))
EPOCHS = 3
FIT_4 = FunctionForm(
    "fit_4",
    ("model", "train_loader", "val_loader", "loss_fn", "optimizer", "epochs"),
    {"epochs": EPOCHS},
)


@check(
    bugs=LOOP_BUGS,
    help="Five beats, once for each batch, and nothing between backward and step.",
    main=EPOCH_1.request,
)
def cured_epoch(ctx: Context, main: Evidence) -> Outcome:
    """Whether epoch_1 trains as a healthy loop does."""
    return _trains(_loop_of(ctx, EPOCH_1, main))


def _on_accelerator(ctx: Context) -> ProbeRequest:
    made = EPOCH_3.fixture(ctx)
    args = {"function": "epoch_3", "fixture": dict(made.values), "seed": ctx.seed}
    return probe("on_accelerator", args, made.tensors)


@check(
    bugs=(*LOOP_BUGS, "wrong_device"),
    help="Whatever meets in one operation has to be on one device, and it is the caller's device.",
    main=EPOCH_3.request,
    there=_on_accelerator,
)
def cured_device(ctx: Context, main: Evidence, there: Evidence) -> Outcome:
    """Whether epoch_3 trains, on a simulated accelerator too."""
    here = _trains(_loop_of(ctx, EPOCH_3, main))
    if _failed(here):
        return here
    done = require(there)
    error = done.data.get("raised")
    if isinstance(error, Mapping):
        if done.data.get("limit") is True:
            return Outcome.not_checked("not checked: the simulated accelerator does not know this")
        said = str(error.get("message"))[:200]
        return Outcome.failed(
            f"with the model on an accelerator it stopped{place(error)}: {said}", "wrong_device"
        )
    at, losses = field_of(done, "at", list), field_of(done, "loss", list)
    away = sum(a != "cuda" for a in at)
    if not at or away:
        return Outcome.failed(
            f"the model was on the CPU in {away} of {len(at)} forward passes; the device was "
            "another",
            "wrong_device",
        )
    if any(one != "cuda cuda" for one in losses):
        return Outcome.failed(
            "the loss was computed on the CPU; the device was another", "wrong_device"
        )
    return Outcome.passed()


@check(
    bugs=(*LOOP_BUGS, "missing_eval_mode", "missing_no_grad"),
    help="A switch stays as it was left. Say for every forward pass in which mode it runs.",
    main=lambda ctx: FIT_4.request(ctx, keep=4),
)
def cured_modes(ctx: Context, main: Evidence) -> Outcome:
    """Whether fit_4 trains in training mode and measures in evaluation mode, in every epoch."""
    loop = _loop_of(ctx, FIT_4, main)
    if error := _error_of(loop):
        return error
    n = len(FIT_4.fixture(ctx).known.labels)
    measured = [
        c
        for c in loop.replay.calls
        if c.images is not None and len(c.images) and (c.images >= n).all()
    ]
    if not measured:
        return Outcome.failed("the validation images were never looked at", "wrong_value")
    wrong = sum(c.training for c in measured)
    if wrong:
        return Outcome.failed(
            f"{wrong} of {len(measured)} validation batches were answered in training mode",
            "missing_eval_mode",
        )
    trained = loop.calls
    off = [k for k, c in enumerate(trained) if not loop.replay.effective_mode(c)]
    if off:
        return Outcome.failed(
            f"{len(off)} of {len(trained)} training batches were trained on in evaluation mode, "
            f"from batch {off[0] + 1} on",
            "missing_train_mode",
        )
    if sum(c.graph for c in measured):
        return Outcome.failed("the validation batches recorded graphs", "missing_no_grad")
    told = loop.replay.data.get("returned")
    first = told[0] if isinstance(told, list) and told and isinstance(told[0], Mapping) else {}
    if first.get("length") != EPOCHS:
        return Outcome.failed(f"{EPOCHS} epochs make {EPOCHS} accuracies", "wrong_value")
    for judge in (clearing, objective):
        outcome = judge(loop)
        if outcome.status not in (Status.PASSED, Status.NOT_CHECKED):
            return outcome
    return Outcome.passed()


# -- cures of a loss and of optimizers -------------------------------------------------------------


@lru_cache(maxsize=32)
def _classes(seed: int) -> Mapping[str, Array]:
    """A network with PyTorch's usual first weights, batches of ten classes that can be told apart,
    and others to test with. As pixels are, inputs are not negative, and half of them are dark.
    """
    rng = np.random.default_rng(seed)
    patterns = 3 * rng.uniform(size=(CLASSES, INPUTS)) * (rng.random((CLASSES, INPUTS)) < 0.5)

    def draw(*shape: int) -> tuple[Array, Array]:
        labels = rng.integers(0, CLASSES, shape)
        images = np.clip(patterns[labels] + rng.normal(0, 1, (*shape, INPUTS)), 0, 3)
        return images.astype(np.float32), labels.astype(np.int64)

    def layer(outputs: int, inputs: int) -> Array:
        bound = inputs**-0.5
        return rng.uniform(-bound, bound, (outputs, inputs)).astype(np.float32)

    images, labels = draw(BATCHES, 64)
    tests, test_labels = draw(300)
    return {
        "w1": layer(HIDDEN[0], INPUTS),
        "w2": layer(HIDDEN[1], HIDDEN[0]),
        "w3": layer(CLASSES, HIDDEN[1]),
        "images": images,
        "labels": labels,
        "tests": tests,
        "test_labels": test_labels,
        "z": rng.normal(0, 1, (5, CLASSES)),
        "y": rng.integers(0, CLASSES, 5).astype(np.int64),
    }


def _drawn(ctx: Context) -> Mapping[str, Array]:
    return _classes(int(ctx.rng("classes", shared=True).integers(2**62)))


def _sent(ctx: Context) -> dict[str, Array]:
    return {k: v for k, v in _drawn(ctx).items() if k != "test_labels"}


def _scores(z: Array, y: Array) -> dict[str, Array]:
    """The gradients of some losses at the logits z."""
    one = np.eye(z.shape[1])[y]
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    q = np.exp(p - p.max(1, keepdims=True))
    q /= q.sum(1, keepdims=True)
    back = q - one
    twice = p * (back - (back * p).sum(1, keepdims=True))
    return {"cross-entropy": (p - one) / len(z), "softmax before": twice / len(z)}


@check(
    bugs=("wrong_loss", "softmax_before_cross_entropy", "sum_instead_of_mean", "missing_name"),
    help="Ask of a loss what it is smallest for, and whether that is what you want.",
    main=lambda ctx: probe("trained_with_loss", {"function": "loss_2", "lr": 0.02}, _sent(ctx)),
)
def cured_loss(ctx: Context, main: Evidence) -> Outcome:
    """Whether a network that is trained with loss_2 tells ten classes apart."""
    done = require(main)
    drawn = _drawn(ctx)
    if done.data.get("shape") not in ([], [1]):
        return Outcome.failed("loss_2 did not return one number as a tensor", "wrong_loss")
    if "gradient" not in done.tensors:
        return Outcome.failed(
            "nothing can be learned from loss_2: its result has no graph back to the logits",
            "wrong_loss",
        )
    got = tensor_of(done, "gradient", drawn["z"].shape).astype(np.float64)
    for name, want in _scores(drawn["z"], drawn["y"]).items():
        if np.allclose(got, want, rtol=1e-4, atol=1e-6):
            if name == "cross-entropy":
                return Outcome.passed()
            return Outcome.failed(
                "its gradient is that of cross-entropy on the output of a softmax",
                "softmax_before_cross_entropy",
            )
        if np.allclose(got, want * len(got), rtol=1e-4, atol=1e-6):
            return Outcome.failed(
                "its gradient is that of a sum over the batch", "sum_instead_of_mean"
            )
    answers = tensor_of(done, "answers", (len(drawn["tests"]), CLASSES))
    right = float((answers.argmax(1) == drawn["test_labels"]).mean())
    if right < ACCURATE:
        return Outcome.failed(
            f"after {BATCHES} batches with loss_2 a network told {right:.0%} of ten classes apart",
            "wrong_loss",
        )
    return Outcome.passed()


def _by_optimizer(function: str) -> Callable[[Context], ProbeRequest]:
    wanted = ("w1", "w2", "w3", "images", "labels", "tests")

    def ask(ctx: Context) -> ProbeRequest:
        tensors = {k: v for k, v in _drawn(ctx).items() if k in wanted}
        return probe("trained_by_optimizer", {"function": function}, tensors)

    return ask


def _mean_entropy(logits: Array, labels: Array) -> float:
    """The mean cross-entropy; inf where a logit is not finite."""
    if not np.isfinite(logits).all():
        return float("inf")
    z = logits - logits.max(1, keepdims=True)
    logs = z - np.log(np.exp(z).sum(1, keepdims=True))
    return float(-logs[np.arange(len(z)), labels].mean())


@lru_cache(maxsize=32)
def _gain(seed: int) -> float:
    """By how much plain SGD at 0.1 lowers the loss of the tests."""
    import torch

    from .networks import network

    drawn = _classes(seed)
    net = network(drawn["w1"], drawn["w2"], drawn["w3"])
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    tests, answers = torch.tensor(drawn["tests"]), drawn["test_labels"]
    before = _mean_entropy(net(tests).detach().numpy(), answers)
    for x, y in zip(drawn["images"], drawn["labels"], strict=True):
        sgd.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(torch.tensor(x)), torch.tensor(y))
        torch.autograd.backward(loss)
        sgd.step()
    return before - _mean_entropy(net(tests).detach().numpy(), answers)


def _learned(ctx: Context, name: str, main: Evidence, share: float) -> Outcome:
    """Whether the loss of unseen samples falls by `share` of what plain SGD gains."""
    done, drawn = require(main), _drawn(ctx)
    shape = (len(drawn["tests"]), CLASSES)
    before = _mean_entropy(tensor_of(done, "before", shape), drawn["test_labels"])
    after = _mean_entropy(tensor_of(done, "after", shape), drawn["test_labels"])
    gain = _gain(int(ctx.rng("classes", shared=True).integers(2**62)))
    if before - after >= share * gain:
        return Outcome.passed()
    moved = float(str(done.data.get("moved")))
    said = (
        f"after {BATCHES} batches the loss of unseen samples is {after:.3g}; it began at "
        f"{before:.3g}, and the weights moved by {moved:.3g} in all"
    )
    far = not np.isfinite([after, moved]).all() or moved > FAR
    return Outcome.failed(said, "lr_too_high" if far else "lr_too_low")


FAR = 10.0
"""The norm of the weights' whole change, where little was learned. Rates that are too low move them
by 0.7 at most, a rate of 1 by 12 at least, one of 3 by 50.
"""
LEARNS, LEARNS_WELL = 0.02, 0.2
"""Of what plain SGD gains at 0.1, over eight draws: a rate of 0.01 gains 0.025 to 0.045 of it, Adam
at 3e-4 a tenth, SGD at 0.05 0.28 to 0.49, Adam at 1e-3 half; rates of 1e-5 and 3 at most 0.013.
"""


@check(
    bugs=("lr_too_high", "lr_too_low", "wrong_value", "missing_name"),
    help="Look at how far the weights move in a step, and not at how calm the curve looks.",
    main=_by_optimizer("optimizer_5"),
)
def cured_high_rate(ctx: Context, main: Evidence) -> Outcome:
    """Whether a network learns with optimizer_5."""
    return _learned(ctx, "optimizer_5", main, LEARNS)


@check(
    bugs=("lr_too_high", "lr_too_low", "wrong_value", "missing_name"),
    help="Look at how far the weights move in a step, and not at how calm the curve looks.",
    main=_by_optimizer("optimizer_6"),
)
def cured_low_rate(ctx: Context, main: Evidence) -> Outcome:
    """Whether a network learns with optimizer_6 a fifth as fast as at a good rate."""
    return _learned(ctx, "optimizer_6", main, LEARNS_WELL)


# -- cures that the general checks judge, all questions together -----------------------------------


class _Part(Mapping[str, Evidence]):
    """The evidence of one question among that of several."""

    def __init__(
        self, whole: Mapping[str, Evidence], question: str, names: tuple[str, ...]
    ) -> None:
        self.whole, self.question, self.names = whole, question, names

    def __getitem__(self, name: str) -> Evidence:
        if name not in self.names:
            raise KeyError(name)
        return self.whole[f"{self.question}.{name}"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _every(
    name: str,
    help: str,
    family: str,
    *questions: str,
    more: Mapping[str, Callable[[Context], ProbeRequest]] | None = None,
    last: Callable[[Context, Mapping[str, Evidence]], Outcome] | None = None,
    bugs: tuple[str, ...] = (),
) -> StandardCheck:
    """A check of all these questions of a family; the first that is not passed speaks."""
    parts = {q: registry()[f"{family}.{q}"] for q in questions}

    def requests(ctx: Context) -> Mapping[str, ProbeRequest]:
        asked = {f"{q}.{k}": r for q, p in parts.items() for k, r in p.requests(ctx).items()}
        return {**asked, **{k: ask(ctx) for k, ask in (more or {}).items()}}

    def judge(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
        for q, p in parts.items():
            outcome = p.judge(ctx, _Part(evidence, q, tuple(p.requests(ctx))))
            if _failed(outcome):
                return outcome
        return Outcome.passed() if last is None else last(ctx, evidence)

    known = [b for p in parts.values() for b in p.bugs] + list(bugs)
    options = {o.name: o for p in parts.values() for o in p.options}
    return StandardCheck(
        name, requests, judge, help, tuple(dict.fromkeys(known)), tuple(options.values())
    )


def _kept(ctx: Context) -> ProbeRequest:
    made = FunctionForm("evaluate_7", ("model", "loader")).fixture(ctx)
    return probe(
        "kept_logits", {"function": "evaluate_7", "fixture": dict(made.values)}, made.tensors
    )


def _keeps_nothing(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    graphs_alive = field_of(require(evidence["kept"]), "graphs", list)
    if any(isinstance(n, int) and n > 0 for n in graphs_alive):
        return Outcome.failed("outputs of earlier batches were kept with graphs", "missing_no_grad")
    return Outcome.passed()


cured_evaluation = _every(
    "cured_evaluation",
    "Evaluation has two switches: the mode, and whether a graph is recorded.",
    "evaluation",
    *("runs", "number", "mode", "graph"),
    more={"kept": _kept},
    last=_keeps_nothing,
)
cured_network = _every(
    "cured_network",
    "Write down the shape after each layer, for a batch of two, before you write the layers.",
    "module",
    *("shape", "registered", "logits", "nonlinear", "rows"),
)


# -- task 9 ----------------------------------------------------------------------------------------


def _run_of(rng: np.random.Generator) -> dict[str, Any]:
    steps, rows = 12, 6
    images = rng.normal(size=(steps, rows, 4)).astype("float32")
    images[7] *= 40
    return {
        "first": rng.normal(size=(5, 4)).astype("float32"),
        "second": rng.normal(size=(3, 5)).astype("float32"),
        "images": images,
        "labels": rng.integers(0, 3, (steps, rows)),
        "lr": round(float(rng.uniform(0.02, 0.06)), 4),
        "momentum": round(float(rng.uniform(0.3, 0.6)), 4),
    }


def recorded_runs(rng: np.random.Generator) -> Iterator[Case]:
    """A run with one batch of large numbers in it."""
    made = _run_of(rng)
    yield call(
        Own("model")(made["first"], made["second"]),
        Own("pairs")(list(made["images"]), list(made["labels"])),
        Own("loss_fn")(),
        Own("optimizer")(made["lr"], made["momentum"]),
    )


def _walked(made: Mapping[str, Any]) -> tuple[list[dict[str, Array]], Array]:
    """The gradients of each step of that run, by parameter, and the weights in the end."""
    import torch

    from .networks import small

    net, held = small(made["first"], made["second"])
    sgd = torch.optim.SGD(net.parameters(), lr=made["lr"], momentum=made["momentum"])
    steps = []
    for x, y in zip(made["images"], made["labels"], strict=True):
        sgd.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(torch.tensor(x)), torch.tensor(y))
        torch.autograd.backward(loss)
        grads = {k: p.grad.numpy().copy() for k, p in held.items() if p.grad is not None}
        steps.append({**grads, "loss": np.array(loss.item())})
        sgd.step()
    return steps, torch.nn.utils.parameters_to_vector(held.values()).detach().numpy()


def _made_of(case_args: tuple[Any, ...]) -> dict[str, Any]:
    model, pairs, _, optimizer = case_args
    return {
        "first": model.args[0],
        "second": model.args[1],
        "images": pairs.args[0],
        "labels": pairs.args[1],
        "lr": optimizer.args[0],
        "momentum": optimizer.args[1],
    }


def _records(args: tuple[Any, ...], total: Callable[[list[float]], float]) -> list[dict[str, Any]]:
    found = []
    for k, step in enumerate(_walked(_made_of(args))[0], 1):
        norms = {n: float(np.linalg.norm(g)) for n, g in step.items() if n != "loss"}
        found.append(
            {
                "step": k,
                "loss": float(step["loss"]),
                "grad_norm": total(list(norms.values())),
                "largest": max(norms, key=lambda n: norms[n]),
            }
        )
    return found


def norms_added(*args: Any) -> list[dict[str, Any]]:
    """The norms of the parameters, added up."""
    return _records(args, sum)


def cleared_norms(*args: Any) -> list[dict[str, Any]]:
    """Norms after clearing: all are 0, and the first parameter is as large as any."""
    return [{**r, "grad_norm": 0.0, "largest": "near.weight"} for r in _records(args, sum)]


@check(
    bugs=(
        "missing_zero_grad",
        "zero_grad_after_backward",
        "missing_step",
        "wrong_value",
        "missing_name",
    ),
    help="A recorder looks and does not touch: the five beats are those of any other loop.",
    main=lambda ctx: probe(
        "boxed",
        {k: v for k, v in _run_of(ctx.rng("boxed")).items() if k in ("lr", "momentum")},
        {k: v for k, v in _run_of(ctx.rng("boxed")).items() if k not in ("lr", "momentum")},
    ),
)
def black_box_trains(ctx: Context, main: Evidence) -> Outcome:
    """Whether the network is trained as without a recorder."""
    made = _run_of(ctx.rng("boxed"))
    want = _walked(made)[1]
    got = tensor_of(require(main), "after", want.shape).astype(np.float64)
    if np.allclose(got, want, rtol=1e-3, atol=1e-4):
        return Outcome.passed()
    from .networks import flat, uncleared

    if np.allclose(got, flat(made["first"], made["second"]), rtol=1e-6, atol=1e-7):
        return Outcome.failed("no weight has moved after 12 steps", "missing_step")
    if np.allclose(got, uncleared(made), rtol=1e-2, atol=1e-3):
        return Outcome.failed("the weights are those of gradients that add up", "missing_zero_grad")
    far = float(np.abs(got - want).max())
    return Outcome.failed(f"after 12 steps the weights are {far:.3g} away", "wrong_value")


def norm_lists(rng: np.random.Generator) -> Iterator[Case]:
    """Records with a spike, with none, with one too early, with two, and other factors."""

    def records(norms: list[float], first: int = 1) -> list[dict[str, Any]]:
        return [{"step": first + k, "loss": 1.0, "grad_norm": n} for k, n in enumerate(norms)]

    usual = [round(float(v), 3) for v in rng.uniform(0.8, 1.2, 14)]
    place = int(rng.integers(6, 12))
    spike = [*usual[:place], 14.0, *usual[place:]]
    yield call(records(spike))
    yield call(records(usual))
    yield call(records([1.0, 200.0, 1.0, 1.1, 0.9, 1.0]))
    yield call(records([*usual[:4], 60.0, *usual[4:8], 15.0]))
    yield call(records([1.0, 30.0, 1.0, 1.0, 12.0, 1.0]))  # a mean would not see the fifth
    yield call(records([1.0, 1.0, 3.0, 21.5, 1.0]))
    yield call(records([1.0, 1.0, 3.0, 3.0, 21.0, 1.0]))  # the median of four is between two:
    yield call(records([1.0, 1.0, 3.0, 3.0, 15.0, 1.0]))  # neither the upper one nor the lower
    yield call(records([*usual[:5], 4.0, 1.0]), factor=2.5)
    yield call(records([]))


def _first(records: list[dict[str, Any]], factor: float, middle: Any, start: int = 3) -> Any:
    norms = [r["grad_norm"] for r in records]
    for k in range(start, len(norms)):
        if k and norms[k] > factor * middle(norms[:k]):
            return records[k]["step"]
    return None


def by_the_mean(records: list[dict[str, Any]], factor: float = 10.0) -> Any:
    """The mean of the earlier norms in place of their median."""
    return _first(records, factor, np.mean)


# -- task 10 ---------------------------------------------------------------------------------------


def networks(rng: np.random.Generator) -> Iterator[Case]:
    """Modules in modules, one that runs twice, one that never does, and one in two places."""
    yield call(Own("nested")("nested"), rng.normal(size=(2, 1, 6, 6)).astype("float32"))
    yield call(Own("nested")("twice"), rng.normal(size=(3, 6)).astype("float32"))
    yield call(Own("nested")("shared"), rng.normal(size=(2, 6)).astype("float32"))


def by_definition(net: Own, x: Array) -> list[tuple[str, tuple[int, ...]]]:
    """In the order in which modules are defined."""
    if (net.args or ("",))[0] != "twice":
        return []
    return [("Tanh", ()), ("Linear", (len(x), 3)), ("Linear", (len(x), 6)), ("ReLU", (len(x), 6))]


@check(
    bugs=("mutates_input", "missing_name"),
    help="What is hung on a module stays there until its handle removes it.",
    main=lambda ctx: probe(
        "shapes_left", {}, {"x": ctx.rng("left").normal(size=(2, 6)).astype("float32")}
    ),
)
def shapes_leaves(ctx: Context, main: Evidence) -> Outcome:
    """Whether the network is as it was after `shapes`."""
    done = require(main)
    if field_of(done, "hooks", int):
        return Outcome.failed(f"{done.data['hooks']} hooks are left behind", "mutates_input")
    if field_of(done, "modes", bool) is False:
        return Outcome.failed("the modules came back in another mode", "mutates_input")
    if field_of(done, "weights", bool) is False:
        return Outcome.failed("the weights came back changed", "mutates_input")
    return Outcome.passed()
