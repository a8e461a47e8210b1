"""The probes of this assignment: chance, penalties, a validation loss that follows a script, and
what two networks were trained on.

It holds no secret and no answer: numbers come with the request.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from ..plain import number, plain
from ..program import Program, describe
from ..trees import Teller
from . import drive
from .fixtures import Fixtures
from .folder import secret_root

Result = tuple[dict[str, Any], dict[str, Tensor]]


def _numbers(value: Any) -> Tensor:
    """Whatever a layer gave as a tensor. Raises `TypeError` for what is no array of numbers."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", torch.float64)
    try:
        return torch.as_tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"a layer gave a {type(value).__name__}, not a tensor") from None


# -- task 1: dropout -------------------------------------------------------------------------------


def dropout(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`Dropout(p)` on `x`, with all generators seeded by `seed`.

    Returns two calls in training mode (`first`, `second`), one more after the same seed as the
    first (`repeated`), one in evaluation mode (`evaluated`), and of a call whose input comes out of
    another operation `passed`, what it gave, and `gradient`, that of the sum of weight · result for
    the input (absent without a graph). Data: `touched`, whether that input was changed; `raised`.
    """
    layer = program.get("Dropout")(args["p"])
    x = tensors["x"]
    layer.train()
    torch.manual_seed(args["seed"])
    out = {"first": _numbers(layer(x.clone())), "second": _numbers(layer(x.clone()))}
    torch.manual_seed(args["seed"])
    out["repeated"] = _numbers(layer(x.clone()))
    leaf = x.clone().requires_grad_()
    given = leaf * 1.0
    raised = None
    try:
        passed = layer(given)
        out["passed"] = _numbers(passed)
        if isinstance(passed, Tensor) and passed.requires_grad and passed.shape == x.shape:
            (passed * tensors["weight"]).sum().backward()
            out["gradient"] = _numbers(leaf.grad)
    except Exception as e:  # a layer that works in place is told so by autograd
        raised = describe(e, program.files)
    touched = not torch.equal(given.detach(), x)
    layer.eval()
    out["evaluated"] = _numbers(layer(x.clone()))
    return {"touched": touched, "raised": raised}, out


def bounds(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """What making `Dropout(p)` raises for each of `probabilities`: the names of the error's
    classes, none where it raises nothing. And `x` through `Dropout(0)` in training mode (`kept`).
    """
    kind = program.get("Dropout")
    raised = []
    for p in args["probabilities"]:
        try:
            kind(p)
        except NotImplementedError:
            raise
        except Exception as e:
            raised.append([c.__name__[:80] for c in type(e).__mro__])
        else:
            raised.append([])
    layer = kind(0.0)
    layer.train()
    return {"raised": raised}, {"kept": _numbers(layer(tensors["x"].clone()))}


# -- task 2: the penalty ---------------------------------------------------------------------------


def _called(i: int) -> str:
    """The name of parameter i: every other one is called a bias, and lies in a module within."""
    return f"inner.bias{i}" if i % 2 else f"weight{i}"


class _Parameters(nn.Module):
    """A module that holds parameters, in a module of its own, and buffers."""

    def __init__(self, values: list[Tensor], buffers: list[Tensor]) -> None:
        super().__init__()
        self.inner = nn.Module()
        for i, value in enumerate(values):
            where, name = (self.inner if i % 2 else self), _called(i).rpartition(".")[2]
            where.register_parameter(name, nn.Parameter(value.clone()))
        for i, value in enumerate(buffers):
            self.register_buffer(f"running{i}", value.clone())


def network(values: list[Tensor]) -> nn.Module:
    """A module with these parameters."""
    return _Parameters(values, [])


def penalty(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`l2_penalty(model, lam)` of a module with the parameters p0, p1, … and the buffers b0, b1, ….

    Returns `value` (as `number`), and by parameter its gradient (`gradient.k`, absent for none) and
    where it lies after one step of SGD at `rate` on the sum of its `pull.k` · parameter and the
    penalty (`stepped.k`); `raised`.
    """
    function = program.get("l2_penalty")
    values = [tensors[f"p{i}"] for i in range(args["parameters"])]
    buffers = [tensors[f"b{i}"] for i in range(args["buffers"])]
    model = _Parameters(values, buffers)
    own = dict(model.named_parameters())
    ordered = [own[_called(i)] for i in range(len(values))]
    out: dict[str, Tensor] = {}
    returned = function(model, args["lam"])
    data: dict[str, Any] = {"value": number(returned), "raised": None}
    if isinstance(returned, Tensor) and returned.numel() == 1 and returned.requires_grad:
        returned.reshape(()).backward()
        for i, p in enumerate(ordered):
            if p.grad is not None:
                out[f"gradient.{i}"] = p.grad.detach().clone()
    model.zero_grad()
    optimizer = torch.optim.SGD(model.parameters(), lr=args["rate"])
    try:
        pulled = [(tensors[f"pull{i}"] * p).sum() for i, p in enumerate(ordered)]
        loss = torch.stack(pulled).sum() + function(model, args["lam"])
        loss.sum().backward()
        optimizer.step()
    except Exception as e:
        data["raised"] = describe(e, program.files)
    out |= {f"stepped.{i}": p.detach().clone() for i, p in enumerate(ordered)}
    return data, out


# -- task 3: losses that nobody looks at one by one ------------------------------------------------


def feed(stopper: Any, losses: list[float]) -> None:
    """Tell a stopper these losses, and leave what it says to each."""
    for loss in losses:
        stopper.step(loss)


# -- task 4: the loop ------------------------------------------------------------------------------


def _answering(script: dict[str, Any], told: list[Any]) -> Callable[..., Any]:
    """A class that stands in for the program's own stopper: it says what the script says, and notes
    in `told` which losses it was told.
    """

    class Stopper:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.best, self.best_step, self._at = float("inf"), None, 0

        def step(self, *args: Any, **kwargs: Any) -> bool:
            told.extend(plain(v) for v in (*args, *kwargs.values()))
            at = min(self._at, len(script["stops"]) - 1)
            self._at += 1
            self.best, self.best_step = script["best"][at], script["best_step"][at]
            return bool(script["stops"][at])

    return Stopper


def _stand_in(program: Program, args: dict[str, Any]) -> list[Any]:
    """Put a stopper that the request has in the place of the program's; what it will be told."""
    told: list[Any] = []
    if args.get("stopper"):
        program.rebind({"EarlyStopping": _answering(args["stopper"], told)})
    return told


def fit(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`drive.call`, where the request has a `stopper` with that in place of the program's."""
    _stand_in(program, args)
    return drive.call(program, args, tensors)


class _Scripted(nn.CrossEntropyLoss):
    """A cross-entropy whose value is the script's; its gradient is its own."""

    def __init__(self, tell: Callable[[], float]) -> None:
        super().__init__()
        self.tell = tell

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = super().forward(logits, labels)
        return loss - loss.detach() + self.tell()


class _Course:
    """Which epoch of a fit it is: one more whenever the model turns from images of the training
    part to those of the validation part. `states`: its weights then.
    """

    def __init__(self, fixtures: Fixtures, tensors: dict[str, Tensor]) -> None:
        self.model = fixtures.model
        self.images = torch.cat([tensors["images"], tensors["val_images"]]).flatten(1)
        self.train = len(tensors["images"])
        self.part = ""
        self.states: list[Tensor] = []
        self.model.register_forward_pre_hook(self._entered)

    def weights(self) -> Tensor:
        return nn.utils.parameters_to_vector(self.model.parameters()).detach().clone()

    def _entered(self, model: nn.Module, inputs: Any) -> None:
        first = inputs[0].detach().flatten(1)[0].float()
        nearest = int((self.images - first).square().sum(1).argmin())
        part = "train" if nearest < self.train else "val"
        if part == "val" and self.part == "train" and len(self.states) < 100:
            self.states.append(self.weights())
        self.part = part


@contextlib.contextmanager
def _copies(model: nn.Module) -> Iterator[list[bool]]:
    """Within, of each copy into the model's parameters: whether it came from these parameters
    themselves.
    """
    original = Tensor.copy_
    found: list[bool] = []

    def copied(self: Tensor, source: Any, *args: Any, **kwargs: Any) -> Tensor:
        places = {p.data_ptr() for p in model.parameters()}
        if self.data_ptr() in places and isinstance(source, Tensor):
            found.append(source.data_ptr() == self.data_ptr())
        return original(self, source, *args, **kwargs)

    Tensor.copy_ = copied  # type: ignore[method-assign,assignment]
    try:
        yield found
    finally:
        Tensor.copy_ = original  # type: ignore[method-assign]


def scripted(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`fit_with_validation` on fixtures, with a loss function whose values follow a script: those
    of the validation images the entries of `curve`, those of the training images of `falling`, an
    epoch each.

    Returns `returned` (a tree), `raised`, `aliased` (whether weights were copied onto themselves at
    the end), `told` (the losses that a ready-made stopper was told); the weights at each validation
    (`states`, (E, P)) and at the end (`final`, (P,)).
    """
    function = program.get("fit_with_validation")
    told = _stand_in(program, args)
    torch.manual_seed(args["seed"])
    fixtures = Fixtures(args["fixture"], tensors)
    course = _Course(fixtures, tensors)

    def value() -> float:
        at = len(course.states)
        if course.part == "train":
            return float(args["falling"][min(at, len(args["falling"]) - 1)])
        return float(args["curve"][min(at - 1, len(args["curve"]) - 1)]) if at else args["before"]

    loss_fn = _Scripted(value)
    given = {"loss_fn": loss_fn}
    roles = [given.get(role, role) for role in args["arguments"]]
    arguments = [r if r is loss_fn else fixtures.arguments([r])[0] for r in roles]
    out: dict[str, Tensor] = {}
    data: dict[str, Any] = {"returned": None, "raised": None}
    with _copies(fixtures.model) as copies:
        try:
            data["returned"] = Teller(out, "r").tell(function(*arguments))
        except NotImplementedError:
            raise
        except Exception as e:
            data["raised"] = describe(e, program.files)
    data["aliased"], data["told"] = bool(copies) and copies[-1], told[:100]
    out["final"] = course.weights()
    out["states"] = torch.stack(course.states) if course.states else torch.zeros(0, 0)
    return data, out


# -- task 5: where dropout stands ------------------------------------------------------------------


def _own_dropout(program: Program, args: dict[str, Any]) -> None:
    """PyTorch's dropout in place of the program's, where the request asks for that."""
    if args.get("ready_made"):
        program.rebind({"Dropout": nn.Dropout})


def _fill(model: nn.Module, weights: list[Tensor]) -> bool:
    """Put these weights and biases into a network in place of its own, which are told by how many
    numbers they hold; a weight may stand there transposed. Whether that could be done.
    """
    own = {p.numel(): p for p in model.parameters()}
    if sorted(own) != sorted(w.numel() for w in weights) or len(own) != len(weights):
        return False
    with torch.no_grad():
        for weight in weights:
            mine = own[weight.numel()]
            turned = weight.ndim > 1 and len(mine) != len(weight)
            mine.copy_((weight.T if turned else weight).reshape(mine.shape))
    return True


def mlp(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`make_mlp(p)` with the weights w0, b0, w1, b1, w2, b2 in place of its own, asked about `x` in
    `calls` calls in training mode (`trained`, one after the other) and twice in evaluation mode
    (`evaluated`, `again`); the same of `make_mlp(0)` in training mode (`plain`).

    Data: `shapes` of its parameters; the tensors are absent where these hold other numbers.
    """
    make = program.get("make_mlp")
    _own_dropout(program, args)
    torch.manual_seed(args["seed"])
    weights = [tensors[f"{kind}{i}"] for i in range(3) for kind in "wb"]
    x, out = tensors["x"], dict[str, Tensor]()
    data: dict[str, Any] = {"shapes": []}
    for p in (args["p"], 0.0):
        model = make(p)
        with torch.no_grad():
            model(x)  # a lazy layer has no weights before
            data["shapes"] = [list(t.shape)[:4] for t in model.parameters()][:20]
            if not _fill(model, weights):
                return data, {}
            model.train()
            if not p:
                out["plain"] = _numbers(model(x))
                continue
            out["trained"] = torch.cat([_numbers(model(x)) for _ in range(args["calls"])])
            model.eval()
            out["evaluated"], out["again"] = _numbers(model(x)), _numbers(model(x))
    return data, out


BITS = 11
"""Pixels of an image's first row that hold its number, the highest bit first; the next two are dark
and bright, whatever the image.
"""


def indices(images: Tensor) -> list[int]:
    """The numbers that images bear, -1 for none: a pixel is set where it is nearer to the bright
    one than to the dark one, so that shifting and scaling change nothing.
    """
    if images.ndim < 2 or images[0].numel() < BITS + 2:
        return []
    head = images.detach().reshape(len(images), -1)[:, : BITS + 2].double().cpu()
    dark, bright = head[:, BITS], head[:, BITS + 1]
    share = (head[:, :BITS] - dark[:, None]) / (bright - dark)[:, None]
    bits = share.round()
    found = (bits * 2.0 ** torch.arange(BITS - 1, -1, -1)).sum(1)
    sound = ((share - bits).abs() < 0.05).all(1) & ((bits == 0) | (bits == 1)).all(1)
    return [int(v) if ok else -1 for v, ok in zip(found, sound.tolist(), strict=True)]


def _served(loader: Any) -> list[Tensor]:
    """The images of one pass over a loader, batch by batch."""
    return [batch[0] for batch in loader]


def _all(batches: list[Tensor]) -> list[int]:
    """The numbers of their images."""
    return [n for images in batches for n in indices(images)]


def _differ(model: nn.Module, images: Tensor, *, training: bool) -> bool:
    """Whether two answers to the same images differ, in this mode."""
    was = model.training
    model.train(training)
    with torch.no_grad():
        first, second = model(images), model(images)
    model.train(was)
    return not torch.equal(first, second)


def _noting(told: list[dict[str, Any]], histories: list[dict[str, Any]], ray: Tensor) -> Any:
    """A stand-in for `fit_with_validation`: it trains nothing, notes what it was given, and answers
    with the histories one after the other.
    """

    def fit_with_validation(
        model: nn.Module,
        train_loader: Any,
        val_loader: Any,
        loss_fn: Any,
        optimizer: Any,
        epochs: int,
        patience: int,
        *args: Any,
        **kwargs: Any,
    ) -> dict[str, Any]:
        train, val = _served(train_loader), _served(val_loader)
        images = train[0][:8]
        weights = nn.utils.parameters_to_vector(model.parameters()).detach().double()
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        told.append(
            {
                "train": _all(train),
                "val": _all(val),
                "sizes": [len(batch) for batch in train],
                "epochs": int(epochs),
                "patience": int(patience),
                "optimizer": type(optimizer).__name__[:80],
                "rate": float(optimizer.param_groups[0]["lr"]),
                "held": sum(id(p) in held for p in model.parameters()),
                "parameters": sum(1 for _ in model.parameters()),
                "start": float(weights @ ray[: len(weights)]) if len(weights) <= len(ray) else 0.0,
                "wanders": _differ(model, images, training=True),
                "wanders_in_evaluation": _differ(model, images, training=False),
            }
        )
        return dict(histories[min(len(told), len(histories)) - 1])

    return fit_with_validation


@contextlib.contextmanager
def _looking(seen: set[int]) -> Iterator[None]:
    """Within, the numbers of all images that any module is called with are noted."""

    def entered(module: nn.Module, inputs: Any) -> None:
        x = inputs[0] if inputs else None
        if isinstance(x, Tensor) and x.ndim > 1 and x[0].numel() == 784 and len(x):
            seen.update(indices(x))

    hook = register_module_forward_pre_hook(entered)
    try:
        yield
    finally:
        hook.remove()


def pair(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`with_and_without("data", p, epochs, seed)` on images that bear numbers; with `histories` in
    the request, `fit_with_validation` is a stand-in that answers with them.

    Returns `returned` (a tree), `raised`, `fits` (what the stand-in was given, call by call), and
    `seen`, the numbers of the images that any network was asked about.
    """
    function = program.get("with_and_without")
    _own_dropout(program, args)
    told: list[dict[str, Any]] = []
    seen: set[int] = set()
    out: dict[str, Tensor] = {}
    data: dict[str, Any] = {"returned": None, "raised": None}
    if args.get("histories"):
        noting = _noting(told, args["histories"], tensors.pop("ray"))
        program.rebind({"fit_with_validation": noting})
    with secret_root("MNIST", tensors), _looking(seen):
        try:
            given = (args["p"], args["epochs"], args["seed"])
            data["returned"] = Teller(out, "r").tell(function("data", *given))
        except NotImplementedError:
            raise
        except Exception as e:
            data["raised"] = describe(e, program.files)
    return {**data, "fits": told[:4], "seen": sorted(seen)}, out
