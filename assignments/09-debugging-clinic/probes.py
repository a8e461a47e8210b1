"""The probes of this assignment: a loop on a simulated accelerator, a loss and optimizers that are
trained with, instruments that look at networks.

None holds an expected value. Networks and batches come with the request.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..plain import finite
from ..program import Program, describe
from .fixtures import Fixtures

Result = tuple[dict[str, Any], dict[str, Tensor]]


def on_accelerator(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Call `args["function"]` with fixtures whose network is on a simulated accelerator.

    Returns `raised` (as `describe`), `at`: the device of the network at each forward pass, and
    `loss`: the devices that its loss was given.
    """
    from ..accelerator import simulation

    function = program.get(args["function"])
    torch.manual_seed(args["seed"])
    at: list[str] = []
    losses: list[str] = []
    told: dict[str, Any] = {"raised": None, "limit": False}
    with simulation.accelerator():
        fixtures = Fixtures(args["fixture"], tensors)
        device = torch.device("cuda")
        model = fixtures.model.to(device)
        optimizer = torch.optim.SGD(model.parameters(), lr=args["fixture"]["lr"])
        model.register_forward_pre_hook(lambda m, x: at.append(next(m.parameters()).device.type))

        def loss_fn(logits: Tensor, labels: Tensor) -> Tensor:
            losses.append(f"{logits.device.type} {labels.device.type}")
            return F.cross_entropy(logits, labels)

        try:
            function(model, fixtures.loader("train"), loss_fn, optimizer, device)
        except NotImplementedError:
            raise
        except Exception as e:
            told = {"raised": describe(e, program.files), "limit": simulation.is_limit(e)}
    return {**told, "at": at, "loss": losses}, {}


def _network(tensors: dict[str, Tensor]) -> nn.Sequential:
    """A network of three layers with the weights of the request, and no biases to begin with."""
    layers: list[nn.Module] = []
    for key in ("w1", "w2", "w3"):
        layer = nn.Linear(*tensors[key].shape[::-1])
        with torch.no_grad():
            layer.weight.copy_(tensors[key])
            layer.bias.zero_()
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def trained_with_loss(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Train a network with the program's loss, by SGD, over batches of `images` and `labels`.

    Returns `losses`; as tensors `answers`, what the network says in the end of `tests`, and
    `gradient`, that of one call at the logits `z` with the labels `y`.
    """
    loss_fn = program.get(args["function"])
    z = tensors["z"].clone().requires_grad_()
    one = loss_fn(z, tensors["y"].long())
    shape = [int(n) for n in one.shape] if isinstance(one, Tensor) else None
    out = {}
    if isinstance(one, Tensor) and one.requires_grad and one.numel() == 1:
        out["gradient"] = torch.autograd.grad(one.sum(), z)[0]
    net, losses = _network(tensors), []
    sgd = torch.optim.Adam(net.parameters(), lr=args["lr"])
    if "gradient" in out:
        for x, y in zip(tensors["images"], tensors["labels"].long(), strict=True):
            sgd.zero_grad()
            loss = loss_fn(net(x), y)
            loss.sum().backward()
            sgd.step()
            losses.append(finite(float(loss.detach().sum())))
    out["answers"] = net(tensors["tests"]).detach()
    return {"losses": losses, "shape": shape}, out


def trained_by_optimizer(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> Result:
    """Train a network with the program's optimizer, over batches of `images` and `labels`.

    Returns `steps`, `moved`: the norm of the whole change of the weights, and as tensors
    `before` and `after`, what the network says of `tests`.
    """
    net = _network(tensors)
    told = {"before": net(tensors["tests"]).detach()}
    optimizer = program.get(args["function"])(net)
    before = nn.utils.parameters_to_vector(net.parameters()).detach().clone()
    steps = 0
    for x, y in zip(tensors["images"], tensors["labels"].long(), strict=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        steps += 1
    after = nn.utils.parameters_to_vector(net.parameters()).detach()
    told["after"] = net(tensors["tests"]).detach()
    return {"steps": steps, "moved": finite(float((after - before).norm()))}, told


def kept_logits(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Call an evaluation on a network whose outputs are looked at while it runs.

    Returns `graphs`: of each forward pass, how many earlier outputs were alive with a graph.
    """
    import weakref

    fixtures = Fixtures(args["fixture"], tensors)
    seen: list[weakref.ref[Tensor]] = []
    graphs: list[int] = []

    def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
        alive = [o for r in seen if (o := r()) is not None]
        graphs.append(sum(o.requires_grad for o in alive))
        seen.append(weakref.ref(output))

    fixtures.model.register_forward_hook(note)
    program.get(args["function"])(fixtures.model, fixtures.loader("train"))
    return {"graphs": graphs}, {}


# -- tasks 9 and 10: networks and batches as arguments ---------------------------------------------

_last: dict[str, Any] = {}


class Small(nn.Module):
    """Two layers with names, one of which may be idle."""

    def __init__(self, first: Tensor, second: Tensor) -> None:
        super().__init__()
        self.near = nn.Linear(first.shape[1], len(first))
        self.far = nn.Linear(second.shape[1], len(second))
        self.idle = nn.Linear(2, 2)
        with torch.no_grad():
            self.near.weight.copy_(first)
            self.far.weight.copy_(second)
            self.near.bias.zero_()
            self.far.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.far(torch.relu(self.near(x)))
        return out


def model(first: Tensor, second: Tensor) -> nn.Module:
    """A small network, which `optimizer` and `weights` then belong to."""
    _last["model"] = Small(first, second).eval()
    return _last["model"]  # type: ignore[no-any-return]


def pairs(images: list[Tensor], labels: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Batches."""
    return list(zip(images, labels, strict=True))


def loss_fn() -> nn.Module:
    """Cross-entropy."""
    return nn.CrossEntropyLoss()


def optimizer(lr: float, momentum: float) -> torch.optim.Optimizer:
    """PyTorch's SGD for the last `model`."""
    params: Any = _last["model"].parameters()
    return torch.optim.SGD(params, lr=lr, momentum=momentum)


def nested(kind: str) -> nn.Module:
    """Networks of modules in modules; one module runs twice, another stands in two places."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused_first = nn.Tanh()
            self.last = nn.Linear(6, 3)
            self.shared = nn.Linear(6, 6)
            self.act = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            for _ in range(2):
                x = self.act(self.shared(x))
            out: Tensor = self.last(x)
            return out

    torch.manual_seed(5)
    made: nn.Module = Twice()
    if kind == "nested":
        block = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU())
        made = nn.Sequential(block, nn.Sequential(nn.MaxPool2d(2), nn.Flatten()), nn.Linear(18, 4))
    if kind == "shared":
        act, second = nn.ReLU(), nn.Linear(5, 5)
        first = nn.Sequential(nn.Linear(6, 5), act)
        made = nn.Sequential(
            first, nn.Sequential(second, act), nn.Sequential(second, nn.Linear(5, 2))
        )
    if kind == "dropout":
        made = nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.5), nn.Linear(5, 2))
    _last["net"] = made
    return made


def shapes_left(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """What `shapes` leaves of a network: its hooks, its modes and its weights.

    Returns `hooks`, how many are left; `modes` and `weights`, whether they are as before.
    """
    shapes = program.get("shapes")
    told = {"hooks": 0, "modes": True, "weights": True}
    for training in (True, False):
        net = nested("dropout").train(training)
        net[2].eval()  # type: ignore[index]
        modes = [m.training for m in net.modules()]
        before = {k: v.clone() for k, v in net.state_dict().items()}
        shapes(net, tensors["x"])
        hooks = [
            vars(m)[k] for m in net.modules() for k in ("_forward_hooks", "_forward_pre_hooks")
        ]
        told["hooks"] += sum(map(len, hooks))
        told["modes"] = told["modes"] and modes == [m.training for m in net.modules()]
        same = all(bool((v == before[k]).all()) for k, v in net.state_dict().items())
        told["weights"] = told["weights"] and same
    return told, {}


def boxed(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Run `black_box` over batches; returns as tensor `after` the weights of the network then."""
    net = Small(tensors["first"], tensors["second"])
    sgd = torch.optim.SGD(net.parameters(), lr=args["lr"], momentum=args["momentum"])
    images, labels = tensors["images"], tensors["labels"].long()
    program.get("black_box")(net, pairs(list(images), list(labels)), loss_fn(), sgd)
    after = [net.near.weight, net.near.bias, net.far.weight, net.far.bias]
    return {}, {"after": nn.utils.parameters_to_vector(after).detach()}
