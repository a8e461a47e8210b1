"""One training loop in every form and variation, written out as programs.

`program(form, variation)` is the text of a submission: the function with arguments of assignment
04, the program of globals of 05 (as functions, and as methods of a trainer), the bare script of 06.
A variation changes single beats of it, or what stands around them.
"""

from __future__ import annotations

from dataclasses import dataclass

FORMS = ("function", "globals", "trainer", "bare")
ASSIGNMENTS = {
    "function": "04-training-loop",
    "globals": "05-five-beats",
    "trainer": "05-five-beats",
    "bare": "06-line-by-line",
}
CHECKS = {
    "function": {
        "clearing": "train_zero_grad",
        "beats": "train_beats",
        "objective": "train_objective",
        "mode": "train_mode",
        "loss": "train_loss",
        "graphs": "train_graph",
    },
    "globals": {
        "clearing": "zero_grad",
        "beats": "beats",
        "objective": "objective",
        "mode": "train_mode",
        "loss": "epoch_loss",
    },
    "bare": {"clearing": "zero_grad", "beats": "beats", "objective": "objective"},
}
CHECKS["trainer"] = CHECKS["globals"]


@dataclass(frozen=True)
class Variation:
    """What differs from the plain loop. The first five are the beats; `setup` stands before the
    loop, `between` before the step, `after` after it; `batches` is what is gone through; the rest
    are the program's own objects, which a function with arguments is handed.
    """

    zero: str = "optimizer.zero_grad()"
    forward: str = "logits = model(images)"
    loss: str = "loss = criterion(logits, labels)"
    backward: str = "loss.backward()"
    step: str = "optimizer.step()"
    setup: str = ""
    between: str = ""
    after: str = ""
    batches: str = "loader"
    criterion: str = "nn.CrossEntropyLoss()"
    optimizer: str = "torch.optim.SGD(model.parameters(), lr=0.1)"
    mode: str = "model.train()"
    end: str = ""
    order: tuple[str, ...] = ("zero", "forward", "loss", "backward", "between", "step", "after")
    own: bool = False
    """Whether it is about the program's own objects: a function is handed others."""


def _indent(text: str, by: int) -> str:
    return "\n".join(" " * by + line if line.strip() else "" for line in text.splitlines())


def _body(v: Variation) -> str:
    return "\n".join(part for name in v.order if (part := getattr(v, name)))


def _epoch(v: Variation, by: int) -> str:
    return _indent(
        f"""{v.mode}
{v.setup}
total, count = 0.0, 0
for images, labels in {v.batches}:
{_indent(_body(v), 4)}
    total += loss.item() * len(labels)
    count += len(labels)
{v.end}
mean_loss = total / count""",
        by,
    )


HEAD = """import copy
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
"""

MLP = """
class MLP(nn.Module):
    def __init__(self, hidden=256):
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x.flatten(1))))
"""

DATA = """
to_tensor = transforms.ToTensor()
train_set = datasets.FashionMNIST("data", train=True, download=True, transform=to_tensor)
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=to_tensor)
"""

EVALUATE = """
def evaluate():
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in test_loader:
            right += (model(images).argmax(1) == labels).sum().item()
    return right / len(test_loader.dataset)
"""


def _function(v: Variation) -> str:
    return f"""{HEAD}
def train_one_epoch(model, dataloader, loss_fn, optimizer):
    loader, criterion = dataloader, loss_fn
{_epoch(v, 4)}
    return mean_loss
"""


def _objects(v: Variation) -> str:
    return f"""
torch.manual_seed(3)
train_loader = DataLoader(train_set, batch_size=128, shuffle=True)
test_loader = DataLoader(test_set, batch_size=256)
model = MLP(hidden=256)
criterion = {v.criterion}
optimizer = {v.optimizer}
loader = train_loader
device = torch.device("cpu")
"""


_RUN = """
best_acc = 0.0
for epoch in range(3):
    mean = train_one_epoch()
    accuracy = evaluate()
    if accuracy > best_acc:
        best_acc = accuracy
        torch.save(model.state_dict(), "best_mlp.pt")
"""


def _globals(v: Variation) -> str:
    return f"""{HEAD}{MLP}{DATA}{_objects(v)}
def train_one_epoch():
{_epoch(v, 4)}
    return mean_loss
{EVALUATE}{_RUN}"""


def _trainer(v: Variation) -> str:
    return f"""{HEAD}{MLP}{DATA}{_objects(v)}
class Trainer:
    def __init__(self, net, opt, criterion, batches):
        self.parts = (net, opt, criterion, batches)

    def epoch(self):
        model, optimizer, criterion, loader = self.parts
{_epoch(v, 8)}
        return mean_loss

trainer = Trainer(model, optimizer, criterion, train_loader)
train_one_epoch = trainer.epoch
{EVALUATE}{_RUN}"""


def _bare(v: Variation) -> str:
    return f"""{HEAD}{DATA}
torch.manual_seed(3)
loader = DataLoader(train_set, batch_size=256, shuffle=True)
model = net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))

def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, std=0.01)
        nn.init.zeros_(m.bias)

net.apply(init_weights)
criterion = {v.criterion}
optimizer = {v.optimizer}
for epoch in range(10):
{_epoch(v, 4)}
net.eval()
right = 0
with torch.no_grad():
    for images, labels in DataLoader(test_set, batch_size=256):
        right += (net(images).argmax(1) == labels).sum().item()
print(f"accuracy {{right / len(test_set):.4f}}")
"""


def program(form: str, v: Variation) -> str:
    """The text of a submission."""
    return {"function": _function, "globals": _globals, "trainer": _trainer, "bare": _bare}[form](v)


GRADS = "parameters = [p for p in model.parameters()]"

WEIGHTS_ALONE = {
    "matmul": "logits = F.relu(x @ w1.T + b1) @ w2.T + b2",
    "bias_first": "logits = b2 + torch.matmul(F.relu(b1 + x.matmul(w1.t())), w2.t())",
    "linear": "logits = F.linear(F.relu(F.linear(x, weight=w1, bias=b1)), w2, b2)",
    "addmm": "logits = torch.addmm(b2, torch.addmm(b1, x, w1.T).relu(), w2.T)",
    "in_place": "logits = torch.mm(x.mm(w1.T).add(b1).clamp(min=0), w2.T)\nlogits += b2",
    "einsum": "logits = torch.einsum('bh,oh->bo', "
    "F.relu(torch.einsum('oi,bi->bo', w1, x) + b1), w2) + b2",
    "columns": "logits = (w2 @ F.relu(w1 @ x.T + b1[:, None]) + b2[:, None]).T",
    "columns_then_rows": "logits = F.relu((w1 @ x.t()).t() + b1) @ w2.T + b2",
    "columns_by_addmm": "z = torch.addmm(b1.unsqueeze(1), w1, x.T).clamp_min(0)\n"
    "logits = torch.addmm(b2.view(-1, 1), w2, z).T",
    "columns_by_einsum": "z = F.relu(torch.einsum('hi,bi->hb', w1, x) + b1[:, None])\n"
    "logits = torch.einsum('oh,hb->bo', w2, z) + b2",
    "columns_kept": "X = x.T.contiguous()\nlogits = (w2.mm(w1.mm(X).add(b1[:, None]).relu()) + "
    "b2[:, None]).t()",
    "loss_ends": "logits = F.relu(x @ w1.T + b1) @ w2.T\nlogits = torch.stack([z + b for z, b in "
    "zip(logits.unbind(1), b2)], 1)",
}
"""Forward passes of a network of two layers whose weights are used without it."""

RIGHT: dict[str, Variation] = {
    "plain": Variation(),
    "zeroed_by_the_model": Variation(zero="model.zero_grad()"),
    "zeroed_to_zeros": Variation(zero="optimizer.zero_grad(set_to_none=False)"),
    "zeroed_by_none": Variation(zero="for p in model.parameters():\n    p.grad = None"),
    "zeroed_before_backward": Variation(
        order=("forward", "loss", "zero", "backward", "between", "step", "after")
    ),
    "zeroed_after_the_step": Variation(
        order=("forward", "loss", "backward", "between", "step", "zero", "after"),
        setup="optimizer.zero_grad()",
    ),
    "clip_norm_low": Variation(between="nn.utils.clip_grad_norm_(model.parameters(), 0.03)"),
    "clip_norm": Variation(between="nn.utils.clip_grad_norm_(model.parameters(), 0.3)"),
    "clip_norm_high": Variation(between="nn.utils.clip_grad_norm_(model.parameters(), 1e3)"),
    "clip_value": Variation(between="nn.utils.clip_grad_value_(model.parameters(), 0.01)"),
    "clip_value_tiny": Variation(between="nn.utils.clip_grad_value_(model.parameters(), 1e-4)"),
    "momentum": Variation(
        optimizer="torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)",
        own=True,
    ),
    "decay": Variation(
        optimizer="torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-2)", own=True
    ),
    "adam": Variation(optimizer="torch.optim.Adam(model.parameters())", own=True),
    "rmsprop": Variation(optimizer="torch.optim.RMSprop(model.parameters(), lr=1e-3)", own=True),
    "two_groups": Variation(
        optimizer="torch.optim.AdamW([{'params': [p for p in model.parameters() if p.dim() > 1]}, "
        "{'params': [p for p in model.parameters() if p.dim() == 1], 'weight_decay': 0.0}])",
        own=True,
    ),
    "schedule": Variation(
        setup="schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 0.3, total_iters=20)",
        after="schedule.step()",
    ),
    "smoothing": Variation(criterion="nn.CrossEntropyLoss(label_smoothing=0.1)", own=True),
    "class_weights": Variation(
        criterion="nn.CrossEntropyLoss(weight=torch.linspace(0.5, 2, 10))", own=True
    ),
    "log_softmax_and_nll": Variation(
        loss="loss = F.nll_loss(F.log_softmax(logits, 1), labels)", own=True
    ),
    "bfloat16": Variation(
        forward="with torch.autocast('cpu', dtype=torch.bfloat16):\n    logits = model(images)"
    ),
    "noise": Variation(
        between="for p in model.parameters():\n    p.grad += 1e-3 * torch.randn_like(p.grad)"
    ),
    "hooks_that_log": Variation(
        setup="norms = []\nfor p in model.parameters():\n"
        "    p.register_hook(lambda g: norms.append(float(g.norm())))"
    ),
    "average_beside": Variation(
        setup="shadow = {k: v.clone() for k, v in model.state_dict().items()}",
        after="for k, v in model.state_dict().items():\n    shadow[k].mul_(0.9).add_(v, alpha=0.1)",
    ),
    "averaged_model": Variation(
        setup="averaged = torch.optim.swa_utils.AveragedModel(model)",
        after="averaged.update_parameters(model)",
    ),
    "looked_at_twice": Variation(
        after="with torch.no_grad():\n    now = criterion(model(images), labels).item()"
    ),
    "looked_at_with_a_graph": Variation(
        after="now = (model(images).argmax(1) == labels).float().mean().item()"
    ),
    "cached": Variation(batches="list(loader)"),
    "compiled": Variation(setup="fast = torch.compile(model)", forward="logits = fast(images)"),
    "wrapped": Variation(setup="whole = nn.Sequential(model)", forward="logits = whole(images)"),
    "data_parallel": Variation(
        setup="several = nn.DataParallel(model)", forward="logits = several(images)"
    ),
    "functional_call": Variation(
        forward="logits = torch.func.functional_call(model, dict(model.named_parameters()), "
        "(images,))"
    ),
    "closure": Variation(
        order=("step", "after"),
        setup="def closure():\n    global loss\n    optimizer.zero_grad()\n"
        "    loss = criterion(model(images), labels)\n    loss.backward()\n    return loss",
        step="images_, labels_ = images, labels\ndef closure():\n    optimizer.zero_grad()\n"
        "    value = criterion(model(images_), labels_)\n    value.backward()\n    return value\n"
        "loss = optimizer.step(closure)",
    ),
    "gradients_by_hand": Variation(
        backward="found = torch.autograd.grad(loss, list(model.parameters()))\n"
        "for p, g in zip(model.parameters(), found):\n    p.grad = g"
    ),
    "penalty": Variation(
        loss="loss = criterion(logits, labels)\n"
        "penalised = loss + 1e-4 * sum((p ** 2).sum() for p in model.parameters())",
        backward="penalised.backward()",
    ),
    "float64": Variation(
        setup="model.double()", forward="logits = model(images.double()).float()", own=True
    ),
    **{
        f"weights_alone_{name}": Variation(
            setup="w1, b1, w2, b2 = model.parameters()",
            forward="x = images.flatten(1)\n" + forward,
            own=True,
        )
        for name, forward in WEIGHTS_ALONE.items()
    },
    "augmented": Variation(
        forward="shifted = torch.roll(images, int(torch.randint(-3, 4, ())), 3)\n"
        "logits = model(shifted)"
    ),
    "in_parts": Variation(
        order=("zero", "loss", "step"),
        loss="loss = 0.0\nfor part, answers in zip(images.split(5), labels.split(5)):\n"
        "    share = criterion(model(part), answers) * len(answers) / len(labels)\n"
        "    share.backward()\n    loss = loss + share.detach()",
    ),
    "by_hand": Variation(
        zero="for p in model.parameters():\n    p.grad = None",
        step="with torch.no_grad():\n    for p in model.parameters():\n        p -= 0.1 * p.grad",
        own=True,
    ),
}
RIGHT["closure"] = Variation(order=("step", "after"), step=RIGHT["closure"].step, setup="")


@dataclass(frozen=True)
class Bug:
    """A variation that is wrong: which question it fails, and under which name."""

    variation: Variation
    question: str
    name: str


WRONG: dict[str, Bug] = {
    "never_zeroed": Bug(Variation(zero=""), "clearing", "missing_zero_grad"),
    "never_zeroed_clipped": Bug(
        Variation(zero="", between="nn.utils.clip_grad_norm_(model.parameters(), 0.3)"),
        "clearing",
        "missing_zero_grad",
    ),
    "zeroed_once": Bug(
        Variation(zero="", setup="optimizer.zero_grad()"), "clearing", "missing_zero_grad"
    ),
    "zeroed_too_late": Bug(
        Variation(order=("forward", "loss", "backward", "zero", "step")),
        "beats",
        "zero_grad_after_backward",
    ),
    "zeroed_in_the_step": Bug(
        Variation(
            order=("forward", "loss", "backward", "step"),
            step="def clear():\n    optimizer.zero_grad()\n    return loss\noptimizer.step(clear)",
        ),
        "beats",
        "zero_grad_after_backward",
    ),
    "stepped_too_early": Bug(
        Variation(order=("zero", "step", "forward", "loss", "backward")),
        "beats",
        "step_before_backward",
    ),
    "no_backward": Bug(Variation(backward=""), "beats", "missing_backward"),
    "no_step": Bug(Variation(step=""), "beats", "missing_step"),
    "one_step_an_epoch": Bug(Variation(step="", end="optimizer.step()"), "beats", "missing_step"),
    "probabilities": Bug(
        Variation(loss="loss = criterion(logits.softmax(1), labels)"),
        "objective",
        "softmax_before_cross_entropy",
    ),
    "probabilities_into_nll": Bug(
        Variation(loss="loss = F.nll_loss(logits.softmax(1), labels)"),
        "objective",
        "softmax_into_nll",
    ),
    "summed": Bug(
        Variation(
            loss="loss = F.cross_entropy(logits, labels, reduction='sum')",
        ),
        "objective",
        "sum_instead_of_mean",
    ),
    "in_evaluation_mode": Bug(Variation(mode="model.eval()"), "mode", "missing_train_mode"),
}
