"""The whole run of a bare script: what its steps are made of, in many styles and with every bug."""

from __future__ import annotations

import pytest

from tests.bare import PROGRAM, changed, lost, results

Changes = tuple[tuple[str, str], ...]

ZERO = "        optimizer.zero_grad()\n"
LOSS = "        loss = loss_fn(net(x), y)\n"
BACKWARD = "        loss.backward()\n"
STEP = "        optimizer.step()\n"
SGD = "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
CE = "loss_fn = nn.CrossEntropyLoss()\n"
LOOP = PROGRAM[PROGRAM.index("for epoch") : PROGRAM.index("with torch.no_grad")]
MEASURE = PROGRAM[PROGRAM.index("with torch.no_grad") :]
LAYERS = "nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))"

BY_HAND = """\
        with torch.no_grad():
            for p in net.parameters():
                p -= 0.1 * p.grad
                p.grad = None
"""
AUTOGRAD = """\
        with torch.no_grad():
            for p, g in zip(net.parameters(), torch.autograd.grad(loss, net.parameters())):
                p -= 0.1 * g
"""
OWN_LOSS = """\
        scores = net(x)
        loss = (scores.logsumexp(1) - scores.gather(1, y[:, None]).squeeze(1)).mean()
"""
LOADER = """\
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images, labels), batch_size=256, shuffle=True{}
    )
    for x, y in loader:
"""
OWN_LOADER = ("    order = torch.randperm(len(images))\n    for part in order.split(256):\n"
              "        x, y = images[part], labels[part]\n")  # fmt: skip
ACCUMULATED = """\
        optimizer.zero_grad()
        for a, b in zip(x.split(128), y.split(128)):
            loss = loss_fn(net(a), b) * len(b) / len(y)
            loss.backward()
        optimizer.step()
"""
PEEK = "loss = loss_fn(net(images[:256]), labels[:256])\n"
SALIENCY = """\
x = test_images[:1].clone().requires_grad_()
net(x)[0, 3].backward()
print(x.grad.abs().sum())
"""
KEPT = "kept = {k: v.clone() for k, v in net.state_dict().items()}\n"
TRIAL = PEEK + "loss.backward()\noptimizer.step()\noptimizer.zero_grad()\n"
IN_PARTS = "def call(x):\n    for layer in net:\n        x = layer(x)\n    return x\n"
IN_NAMES = "def call(x):\n    return net[3](net[2](net[1](net[0](x))))\n"
IN_SLICES = "def call(x):\n    return net[3](net[:3](x))\n"
FUNCTIONAL = (
    "def call(x):\n    hidden = F.linear(x.flatten(1), net[1].weight, net[1].bias).relu()\n"
    "    return F.linear(hidden, net[3].weight, net[3].bias)\n"
)
MATMUL = (
    "def call(x):\n    hidden = (x.flatten(1) @ net[1].weight.T + net[1].bias).relu()\n"
    "    return hidden @ net[3].weight.T + net[3].bias\n"
)
COPIES = (
    "def call(x):\n    w1, b1, w2, b2 = [p * 1.0 for p in net.parameters()]\n"
    "    return (x.flatten(1) @ w1.T + b1).relu() @ w2.T + b2\n"
)
WRAPPER = """\
class WithLoss(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, y):
        return loss_fn(self.inner(x), y)

both = WithLoss(net)
"""
CLOSURE = """\
        def closure():
            optimizer.zero_grad()
            loss = loss_fn(net(x), y)
            loss.backward()
            return loss
        loss = optimizer.step(closure)
"""
TRAINER = """\
class Trainer:
    def __init__(self):
        self.net = net
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def fit(self, epochs):
        for _ in range(epochs):
            for part in torch.randperm(len(images)).split(256):
                self.optimizer.zero_grad()
                F.cross_entropy(self.net(images[part]), labels[part]).backward()
                self.optimizer.step()


Trainer().fit(10)
"""
WRAPPED = """\
class Around(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x.flatten(1))


outer = Around(net)
"""

RIGHT: dict[str, Changes] = {
    "as it is": (),
    "zeroed after the step": ((ZERO, ""), (STEP, STEP + ZERO)),
    "zeroed between forward and backward": ((ZERO, ""), (LOSS, LOSS + ZERO)),
    "an optimizer made anew for each epoch": ((OWN_LOADER, "    " + SGD + OWN_LOADER),),
    "an optimizer made anew for each batch": ((ZERO, "        " + SGD + ZERO),),
    "zeroed in place": ((ZERO, "        optimizer.zero_grad(set_to_none=False)\n"),),
    "by hand, no optimizer": ((SGD, ""), (ZERO, ""), (STEP, BY_HAND)),
    "torch.autograd.grad": ((SGD, ""), (ZERO, ""), (BACKWARD, ""), (STEP, AUTOGRAD)),
    "a cross-entropy of its own": ((LOSS, OWN_LOSS),),
    "log_softmax into nll_loss": ((LOSS, "        loss = F.nll_loss(net(x).log_softmax(1), y)\n"),),
    "a sum over the batch size": (
        (LOSS, "        loss = F.cross_entropy(net(x), y, reduction='sum') / len(y)\n"),
    ),
    "a sum over the usual batch size": (
        (LOSS, "        loss = F.cross_entropy(net(x), y, reduction='sum') / 256\n"),
    ),
    "a sum, and a rate that makes up for it": (
        (LOSS, "        loss = F.cross_entropy(net(x), y, reduction='sum')\n"),
        ("lr=0.1", "lr=0.1 / 256"),
    ),
    "a loader": ((OWN_LOADER, LOADER.format("")),),
    "a loader that drops the short batch": ((OWN_LOADER, LOADER.format(", drop_last=True")),),
    "with replacement": (("torch.randperm(len(images))", "torch.randint(700, (700,))"),),
    "a public test that comes last": ((MEASURE, MEASURE + "shape = net(torch.zeros(5, 1, 28, 28)).shape\n"),),
    "a look at a few answers": ((MEASURE, "print(net(test_images[:20]).argmax(1))\n" + MEASURE),),
    "flat images": (("net(x), y", "net(x.flatten(1)), y"),),
    "normalised images": (("/ 255.0", "/ 127.5 - 1"),),
    "standardised by pixel": (
        ("loss_fn =", ("m, s = images.mean(0), images.std(0) + 0.1\nimages = (images - m) / s\n"
                      "test_images = (test_images - m) / s\nloss_fn =")),
    ),
    "flipped at random": (
        (LOSS, "        flip = torch.rand(len(x), 1, 1, 1) < 0.5\n"
               "        x = torch.where(flip, x.flip(3), x)\n" + LOSS),
    ),
    "clipped gradients": (
        (STEP, "        nn.utils.clip_grad_norm_(net.parameters(), 0.05)\n" + STEP),
    ),
    "the method": (("net(x)", "net.forward(x)"),),
    "layer by layer": ((LOOP, IN_PARTS + LOOP), (LOSS, LOSS.replace("net(", "call("))),
    "layer by layer everywhere": (
        (LOOP, IN_PARTS + LOOP), (LOSS, LOSS.replace("net(", "call(")), ("(net(x).argmax", "(call(x).argmax"),
    ),
    "layers by their places": ((LOOP, IN_NAMES + LOOP), (LOSS, LOSS.replace("net(", "call("))),
    "slices": ((LOOP, IN_SLICES + LOOP), (LOSS, LOSS.replace("net(", "call("))),
    "products with its weights": (
        (LOOP, MATMUL + LOOP), (LOSS, LOSS.replace("net(", "call(")),
    ),
    "functions with its weights": ((LOOP, FUNCTIONAL + LOOP), (LOSS, LOSS.replace("net(", "call("))),
    "a module with the loss in it": (
        (LOOP, WRAPPER + LOOP), (LOSS, "        loss = both(x, y)\n"),
    ),
    "a look at the first gradients": ((LOOP, PEEK + "loss.backward()\nnet.zero_grad()\n" + LOOP),),
    "two looks, nothing cleared": ((LOOP, (PEEK + "loss.backward()\n") * 2 + LOOP),),
    "a look by autograd": ((LOOP, PEEK + "torch.autograd.grad(loss, net.parameters())\n" + LOOP),),
    "a look at what matters in an image": ((MEASURE, SALIENCY + MEASURE),),
    "a look at a trained image": ((MEASURE, SALIENCY.replace("test_images", "images") + MEASURE),),
    "trial steps taken back": (
        (LOOP, KEPT + TRIAL * 2 + "net.load_state_dict(kept)\n" + LOOP),
    ),
    "a schedule": (
        (SGD, SGD + "schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 0.2, 1, 10)\n"),
        (STEP, STEP + "        schedule.step()\n"),
    ),
    "momentum": (("lr=0.1", "lr=0.1, momentum=0.9"),),
    "momentum of Nesterov's": (("lr=0.1", "lr=0.1, momentum=0.9, nesterov=True"),),
    "weight decay": (("lr=0.1", "lr=0.1, weight_decay=5e-3"),),
    "an l2 penalty": (
        (BACKWARD, "        (loss + 1e-3 * sum((p**2).sum() for p in net.parameters())).backward()\n"),
    ),
    "label smoothing": (("CrossEntropyLoss()", "CrossEntropyLoss(label_smoothing=0.1)"),),
    "bfloat16": (
        (LOSS, "        with torch.autocast('cpu', dtype=torch.bfloat16):\n    " + LOSS),
    ),
    "two half batches for a step": ((ZERO + LOSS + BACKWARD + STEP, ACCUMULATED),),
    "clipped by value": (
        (STEP, "        nn.utils.clip_grad_value_(net.parameters(), 0.002)\n" + STEP),
    ),
    "a lazy layer": (
        ("nn.Linear(784, 256)", "nn.LazyLinear(256)"),
        ("net.apply", "net(torch.zeros(2, 1, 28, 28))\nnet.apply"),
    ),
    "shapes looked at before the weights are set": (
        ("net.apply", "for layer in [net, net]:\n    layer(torch.rand(1, 1, 28, 28))\nnet.apply"),
    ),
    "a closure": ((ZERO + LOSS + BACKWARD + STEP, CLOSURE),),
    "the training accuracy beside it": (
        (STEP, STEP + "        hit = (net(x).argmax(1) == y).float().mean().item()\n"),
    ),
    "trained through DataParallel": (
        (SGD, SGD + "par = nn.DataParallel(net)\n"), ("net(x), y", "par(x), y"),
    ),
    "images from 0 to 255": ((" / 255.0", " * 1.0"),),
    "noise on the images": ((LOSS, "        x = x + 0.05 * torch.randn(x.shape)\n" + LOSS),),
    "weighted classes": (
        ("nn.CrossEntropyLoss()", "nn.CrossEntropyLoss(weight=torch.linspace(0.8, 1.2, 10))"),
    ),
    "a validation set split off": (
        (SGD, SGD + "keep = torch.randperm(700)[:600]\nimages, labels = images[keep], labels[keep]\n"),
    ),
    "a running mean of the weights beside it": (
        (SGD, SGD + "import copy\nema = copy.deepcopy(net)\n"),
        (STEP, STEP + "        with torch.no_grad():\n            for a, b in zip(ema.parameters(), net.parameters()):\n                a.lerp_(b, 0.1)\n"),
    ),
    "layers with names": (
        (LAYERS, ("nn.Sequential()\nfor name, layer in (('flat', nn.Flatten()), "
                 "('one', nn.Linear(784, 256)), ('act', nn.ReLU()), ('two', nn.Linear(256, 10))):\n"
                 "    net.add_module(name, layer)")),
    ),
    "drawn under no_grad": (
        ("        nn.init.normal_(m.weight, std=0.01)\n        nn.init.zeros_(m.bias)\n",
         ("        with torch.no_grad():\n            m.weight.copy_(torch.randn(m.weight.shape) * 0.01)\n"
         "            m.bias[:] = 0\n")),
    ),
    "a class around the loop": ((SGD, ""), (LOOP, TRAINER)),
    "a module around the network": (
        (SGD, WRAPPED + SGD), ("net(x), y", "outer(x), y"), ("(net(x).arg", "(outer(x).arg"),
    ),
    "train and eval, and measured each epoch": (
        (LOOP, LOOP.replace("    order", "    net.train()\n    order")
         + "    net.eval()\n    with torch.inference_mode():\n"
         + "        a = (net(test_images).argmax(1) == test_labels).float().mean()\n"
         + "    print('accuracy', a.item())\n"),
    ),
    "a look at the shapes first": (
        (CE, CE + "x = torch.rand(1, 1, 28, 28)\nfor layer in net:\n    x = layer(x)\n    print(x.shape)\n"
                  "print(net(images[:2]))\n"),
    ),
    "printed in percent": (
        ("{right / len(test_labels):.4f}", "{100 * right / len(test_labels):.1f} %"),
    ),
    "a tensor is printed": ((":.4f}\")\n", "}\")\n"), ("right / len(test_labels)", "torch.tensor(right / len(test_labels))")),
    "other words after it": ((MEASURE, MEASURE + "print('done in 3.14 s, saved to net.pt')\n"),),
}  # fmt: skip

WRONG: dict[str, tuple[str, str, Changes]] = {
    "no zero_grad": ("missing_zero_grad", "zero_grad", ((ZERO, ""),)),
    "zeroed once an epoch": (
        "missing_zero_grad", "zero_grad", ((ZERO, ""), ("    order =", "    optimizer.zero_grad()\n    order =")),
    ),
    "by hand, never cleared": (
        "missing_zero_grad", "zero_grad", ((SGD, ""), (ZERO, ""), (STEP, BY_HAND.replace("                p.grad = None\n", ""))),
    ),
    "zeroed after backward": ("zero_grad_after_backward", "beats", ((ZERO, ""), (BACKWARD, BACKWARD + ZERO))),
    "step, then backward": ("step_before_backward", "beats", ((BACKWARD + STEP, STEP + BACKWARD),)),
    "step at the top of the loop": (
        "step_before_backward", "beats", ((ZERO, STEP + ZERO), (BACKWARD + STEP, BACKWARD)),
    ),
    "step before the backward pass, which raises": (
        "step_before_backward", "beats", ((ZERO, ""), (BACKWARD + STEP, STEP + ZERO + BACKWARD)),
    ),
    "no backward": ("missing_backward", "beats", ((BACKWARD, ""),)),
    "no step": ("missing_step", "beats", ((STEP, ""),)),
    "a step per epoch": ("missing_step", "beats", ((STEP, ""), ("    print(f\"epoch", "    optimizer.step()\n    print(f\"epoch"))),
    "a step per epoch for all": (
        "missing_step", "beats",
        ((STEP, ""), (ZERO, ""), ("    print(f\"epoch", "    optimizer.step()\n    optimizer.zero_grad()\n    print(f\"epoch")),
    ),
    "softmax before cross-entropy": (
        "softmax_before_cross_entropy", "objective", (("net(x), y", "net(x).softmax(1), y"),),
    ),
    "softmax into nll": (
        "softmax_into_nll", "objective", ((LOSS, "        loss = F.nll_loss(F.softmax(net(x), dim=1), y)\n"),),
    ),
    "a sum": ("sum_instead_of_mean", "objective", (("CrossEntropyLoss()", "CrossEntropyLoss(reduction='sum')"),)),
    "a rate too high": ("lr_too_high", "rate", (("lr=0.1", "lr=1.0"),)),
    "a rate far too high": ("lr_too_high", "rate", (("lr=0.1", "lr=10.0"),)),
    "a rate too low": ("lr_too_low", "rate", (("lr=0.1", "lr=1e-3"),)),
    "a rate far too low": ("lr_too_low", "rate", (("lr=0.1", "lr=1e-4"),)),
    "Adam": ("wrong_value", "rate", (("torch.optim.SGD(net.parameters(), lr=0.1)", "torch.optim.Adam(net.parameters(), lr=1e-3)"),)),
    "the optimizer of another network": ("stale_optimizer", "beats", ((LOOP, "net = " + LAYERS + "\nnet.apply(init_weights)\n" + LOOP),)),
    "the optimizer of the last layer": ("stale_optimizer", "beats", (("net.parameters()", "net[3].parameters()"),)),
    "no initialisation": ("wrong_init", "init", (("net.apply(init_weights)\n", ""),)),
    "another deviation": ("wrong_init", "init", (("std=0.01", "std=0.02"),)),
    "a uniform one": ("wrong_init", "init", (("nn.init.normal_(m.weight, std=0.01)", "nn.init.uniform_(m.weight, -0.01732, 0.01732)"),)),
    "biases of one": ("wrong_init", "init", (("nn.init.zeros_(m.bias)", "nn.init.constant_(m.bias, 0.01)"),)),
    "in order": ("train_not_shuffled", "shuffled", (("torch.randperm(len(images))", "torch.arange(len(images))"),)),
    "shuffled once": (
        "train_not_shuffled", "shuffled",
        (("    order = torch.randperm(len(images))\n", ""), ("for epoch", "order = torch.randperm(len(images))\nfor epoch")),
    ),
    "a graph in evaluation": ("missing_no_grad", "no_grad", (("with torch.no_grad():", "if True:"),)),
    "a graph in the last of two evaluations": (
        "missing_no_grad", "no_grad", ((MEASURE, MEASURE + MEASURE.replace("with torch.no_grad():", "if True:")),),
    ),
    "the last batch's accuracy": (
        "wrong_accuracy", "printed", (("{right / len(test_labels):.4f}", "{(net(x).argmax(1) == y).float().mean():.4f}"),
                                      ("print(f\"test", "x, y = test_images[256:], test_labels[256:]\nwith torch.no_grad():\n    print(f\"test")),
    ),
    "over ten thousand": ("wrong_accuracy", "printed", (("right / len(test_labels)", "right / 10000"),)),
    "no accuracy at all": ("wrong_accuracy", "printed", (("print(f\"test accuracy {right / len(test_labels):.4f}\")\n", "print('done')\n"),)),
    "batches of 64": ("wrong_value", "batch", (("split(256):", "split(64):"),)),
    "twice through the network for one step": (
        "softmax_before_cross_entropy", "objective",
        ((LOSS, "        loss = F.nll_loss(torch.log_softmax(net(x).softmax(1), 1) + 0 * net(x), y)\n"),),
    ),
    "losses in a list": (
        "loss_graph_accumulated", "graphs", (("for epoch", "losses = []\nfor epoch"), (STEP, STEP + "        losses.append(loss)\n")),
    ),
    "losses in a list, each epoch its own": (
        "loss_graph_accumulated", "graphs",
        (("    order = ", "    losses = []\n    order = "), (STEP, STEP + "        losses.append(loss)\n"),
         ("{loss.item():.4f}", "{sum(losses) / len(losses):.4f}")),
    ),
    "nine epochs": ("wrong_value", "epochs", (("range(10)", "range(9)"),)),
    "step before backward, after a look": (
        "step_before_backward", "beats",
        ((ZERO, "        optimizer.step()\n" + ZERO), (BACKWARD + STEP, BACKWARD), (MEASURE, SALIENCY + MEASURE)),
    ),
    "the first batch only": ("wrong_value", "epochs", ((STEP, STEP + "        break\n"),)),
}  # fmt: skip

COSTS_MORE: dict[str, set[str]] = {
    "step before the backward pass, which raises": {
        "shuffled",
        "runs",
        "graphs",
        "epochs",
        "no_grad",
        "printed",
    },
}


@pytest.mark.parametrize("style", RIGHT)
def test_a_correct_style_loses_nothing(style: str) -> None:
    found = results(changed(*RIGHT[style]))
    assert {k: r.message for k, r in found.items() if r.status != "passed"} == {}


@pytest.mark.parametrize("bug", WRONG)
def test_a_bug_loses_its_check_and_is_named(bug: str) -> None:
    name, check, changes = WRONG[bug]
    found = lost(changed(*changes))
    said = {k: results(changed(*changes))[k].message for k in found}
    assert found.get(check) == (name,), said
    assert set(found) - {check} == COSTS_MORE.get(bug, set()), said
    assert all(not bugs for other, bugs in found.items() if other != check), said


def test_what_cannot_be_followed_asks_a_person_and_accuses_nobody() -> None:
    source = changed((LOOP, COPIES + LOOP), (LOSS, LOSS.replace("net(", "call(")))
    found = results(source)
    assert {r.status for r in found.values()} == {"ungradable"}, found
    assert not any(r.bugs for r in found.values())
    assert "cannot be followed" in found["zero_grad"].message


@pytest.mark.parametrize(
    "call", [IN_PARTS, IN_SLICES, FUNCTIONAL], ids=["loop", "slices", "linear"]
)
def test_bugs_are_named_where_layers_are_called_one_by_one(call: str) -> None:
    parts = ((LOOP, call + LOOP), (LOSS, LOSS.replace("net(", "call(")))
    assert lost(changed(*parts, (ZERO, "")))["zero_grad"] == ("missing_zero_grad",)
    softmax = changed(*parts, ("call(x), y)", "call(x).softmax(1), y)"))
    assert lost(softmax) == {"objective": ("softmax_before_cross_entropy",)}


SCRATCH = "# %%\nprint(history[-1])\n# %%\n"


@pytest.mark.parametrize("place", [LOOP, MEASURE, ""], ids=["before", "between", "at the end"])
def test_a_scratch_cell_that_raises_costs_the_run_and_nothing_else(place: str) -> None:
    source = changed((place, SCRATCH + place)) if place else PROGRAM + SCRATCH
    found = results(source, kind="notebook")
    assert {k for k, r in found.items() if r.status != "passed"} == {"runs"}
    assert "history" in found["runs"].message


def test_what_a_program_that_stopped_never_came_to_is_not_held_against_it() -> None:
    early = changed((STEP, STEP + "        if epoch == 2: history[-1]\n"))
    found = results(early)
    assert {k for k, r in found.items() if r.status == "not_checked"} == {
        "epochs",
        "no_grad",
        "printed",
    }
    assert found["runs"].status == "error"


def test_a_graph_that_was_seen_counts_in_a_program_that_stopped_later() -> None:
    source = changed(("with torch.no_grad():", "if True:")) + "history[-1]\n"
    assert lost(source)["no_grad"] == ("missing_no_grad",)


def test_weights_that_are_put_back_after_each_step_are_no_training() -> None:
    parts = ((ZERO, "        " + KEPT + ZERO), (STEP, STEP + "        net.load_state_dict(kept)\n"))
    found = results(changed(*parts))
    assert lost(changed(*parts)) == {"beats": ()}
    assert "something puts them back" in found["beats"].message
