"""Optimizers that hold the wrong tensors as findings, and the arrangements that are right."""

from __future__ import annotations

import pytest

from autograder.watch.findings import findings
from tests.recorded import accusations, bugs, watched

DATA = """
import copy
x, y = torch.randn(48, 6), torch.randint(0, 3, (48,))
loader = DataLoader(TensorDataset(x, y), 8, shuffle=True)
def build():
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
model = build()
optimizer = torch.optim.SGD(model.parameters(), 0.05)
def fit(net, opt, epochs=1):
    for _ in range(epochs):
        for a, b in loader:
            opt.zero_grad()
            F.cross_entropy(net(a), b).backward()
            opt.step()
"""

BUGGY = {
    "a new model": "model = build()\nfit(model, optimizer)",
    "a copy is trained": "best = copy.deepcopy(model)\nfit(best, optimizer)",
    "a new head": "model[2] = nn.Linear(12, 3)\nfit(model, optimizer)",
    "the second fold": """
for fold in range(2):
    model = build()
    if fold == 0:
        optimizer = torch.optim.Adam(model.parameters())
    fit(model, optimizer)
""",
    "thawed after the optimizer was made": """
for p in model[0].parameters():
    p.requires_grad = False
head = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.05)
fit(model, head)
for p in model[0].parameters():
    p.requires_grad = True
fit(model, head)
""",
    "the loss made anew": """
for a, b in loader:
    optimizer.zero_grad()
    loss = torch.tensor(F.cross_entropy(model(a), b).item(), requires_grad=True)
    loss.backward()
    optimizer.step()
""",
}


@pytest.mark.parametrize("name", BUGGY)
def test_the_bug_is_named_and_nothing_else(name: str) -> None:
    assert bugs(DATA + BUGGY[name]) == ["stale_optimizer"]


RIGHT = {
    "the head alone": "fit(model, torch.optim.SGD(model[2].parameters(), 0.05))",
    "a frozen body, held all the same": "model[0].requires_grad_(False)\nfit(model, optimizer)",
    "a frozen body, then all of it with a new optimizer": """
model[0].requires_grad_(False)
fit(model, torch.optim.SGD(model[2].parameters(), 0.05))
model[0].requires_grad_(True)
fit(model, torch.optim.SGD(model.parameters(), 0.01))
""",
    "thawed into a new group": """
model[0].requires_grad_(False)
head = torch.optim.SGD(model[2].parameters(), 0.05)
fit(model, head)
model[0].requires_grad_(True)
head.add_param_group({"params": model[0].parameters(), "lr": 0.01})
fit(model, head)
""",
    "a picture painted by a network": """
picture = torch.randn(1, 6, requires_grad=True)
paint = torch.optim.Adam([picture], 0.1)
for _ in range(6):
    paint.zero_grad()
    F.cross_entropy(model(picture), torch.tensor([1])).backward()
    paint.step()
""",
    "a teacher and a student": """
teacher = build().eval()
for a, b in loader:
    with torch.no_grad():
        aim = teacher(a).softmax(1)
    optimizer.zero_grad()
    F.kl_div(model(a).log_softmax(1), aim, reduction="batchmean").backward()
    optimizer.step()
""",
    "a new model and a new optimizer for each fold": """
for fold in range(2):
    model = build()
    fit(model, torch.optim.Adam(model.parameters()))
""",
    "a part that is not used": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.spare = build(), nn.Linear(3, 3)
    def forward(self, z):
        return self.body(z)
net = Net()
fit(net, torch.optim.Adam(net.parameters()))
""",
    "weights averaged": """
average = copy.deepcopy(model)
fit(model, optimizer)
with torch.no_grad():
    for p, q in zip(average.parameters(), model.parameters()):
        p.lerp_(q, 0.1)
average(x)
""",
    "gradients written by hand": """
for _ in range(6):
    with torch.no_grad():
        for p in model.parameters():
            p.grad = 0.01 * torch.randn_like(p)
        optimizer.step()
        F.cross_entropy(model(x), y)
""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_arrangement_is_not_accused(name: str) -> None:
    assert bugs(DATA + RIGHT[name]) == []


def test_a_frozen_model_is_named_by_its_error() -> None:
    log = watched(DATA + "model.requires_grad_(False)\nfit(model, optimizer)")
    assert log.ended == "raised"
    found = accusations(log)["stale_optimizer"]
    assert "all 4 tensors of model" in found.message and found.line is not None


WEIGHTED = """
class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_var = nn.Parameter(torch.zeros(()))
    def forward(self, loss):
        return torch.exp(-self.log_var) * loss + self.log_var
weigh = Weighted()
scale, new = nn.Parameter(torch.ones(())), build()
def go(opt, loss_of, after=lambda: None):
    for _ in range(2):
        for a, b in loader:
            opt.zero_grad(), weigh.zero_grad()
            loss_of(a, b).backward()
            opt.step()
            after()
SGD = torch.optim.SGD
"""


@pytest.mark.parametrize(
    ("run", "named", "noted"),
    [
        ("go(optimizer, lambda a, b: weigh(F.cross_entropy(model(a), b)))", True, False),
        ("go(optimizer, lambda a, b: F.cross_entropy(model(a) * scale, b))", True, False),
        # what was left out is a layer of torch's, or below all that learns: meant, perhaps
        ("go(SGD(new[0].parameters(), 0.1), lambda a, b: F.cross_entropy(new(a), b))", 0, 1),
        ("go(SGD(new[2].parameters(), 0.1), lambda a, b: F.cross_entropy(new(a), b))", 0, 1),
        (
            (
                "go(SGD([*model.parameters(), *weigh.parameters()], 0.1), "
                "lambda a, b: weigh(F.cross_entropy(model(a), b)))"
            ),
            False,
            False,
        ),
        (
            (
                "own = SGD(weigh.parameters(), 0.1)\n"
                "go(optimizer, lambda a, b: weigh(F.cross_entropy(model(a), b)), own.step)"
            ),
            False,
            False,
        ),
        (
            (
                "def up():\n    with torch.no_grad():\n        weigh.log_var += 0.1\n"
                "go(optimizer, lambda a, b: weigh(F.cross_entropy(model(a), b)), up)"
            ),
            False,
            False,
        ),
        ("model[0].requires_grad_(False)\nfit(model, SGD(model[2].parameters(), 0.1))", 0, 0),
    ],
)
def test_parameters_that_no_optimizer_holds(run: str, named: bool, noted: bool) -> None:
    log = watched(DATA + WEIGHTED + run)
    found = {f.bug: f.kind for f in findings(log)}
    expected = "bug" if named else "note" if noted else None
    assert found.get("not_in_optimizer") == expected
    assert accusations(log).keys() <= {"not_in_optimizer"}


def test_a_step_in_order_is_none_before_its_backward_pass_though_it_moves_nothing() -> None:
    source = """
for p in [*model[0].parameters(), *model[2].parameters()]:
    p.requires_grad_(False)
norm = nn.LayerNorm(12)
sgd = torch.optim.SGD(model[2].parameters(), 0.1)
for a, b in loader:
    sgd.zero_grad()
    F.cross_entropy(model[2](norm(model[0](a))), b).backward()
    sgd.step()
"""
    assert bugs(DATA + source) == ["stale_optimizer"]
