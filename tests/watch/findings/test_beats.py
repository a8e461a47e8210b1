"""The five beats as findings: each bug plain and disguised, and the styles that are right."""

from __future__ import annotations

import pytest

from tests.recorded import accusations, bugs, watched

DATA = """
x, y = torch.randn(48, 6), torch.randint(0, 3, (48,))
loader = DataLoader(TensorDataset(x, y), 8, shuffle=True)
model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
"""

BUGGY = {
    "missing_zero_grad plain": """
for epoch in range(2):
    for a, b in loader:
        loss = F.cross_entropy(model(a), b)
        loss.backward()
        optimizer.step()
""",
    "missing_zero_grad once per epoch, with Adam in a function": """
def train(net, opt, data):
    opt.zero_grad()
    for a, b in data:
        nn.CrossEntropyLoss()(net(a), b).backward()
        opt.step()
adam = torch.optim.Adam(model.parameters())
for _ in range(2):
    train(model, adam, loader)
""",
    "missing_zero_grad by hand": """
w = torch.zeros(6, 3, requires_grad=True)
for a, b in loader:
    F.cross_entropy(a @ w, b).backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
""",
    "missing_zero_grad in a closure": """
def closure():
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return loss
lbfgs = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
for _ in range(3):
    lbfgs.step(closure)
""",
    "missing_zero_grad of one of two models": """
other = nn.Linear(3, 3)
both = torch.optim.SGD([*model.parameters(), *other.parameters()], 0.05)
for a, b in loader:
    model.zero_grad()
    F.cross_entropy(other(model(a)), b).backward()
    both.step()
""",
    "zero_grad_after_backward plain": """
for a, b in loader:
    loss = F.cross_entropy(model(a), b)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
""",
    "zero_grad_after_backward by hand": """
class Trainer:
    def fit(self):
        for a, b in loader:
            F.cross_entropy(model(a), b).backward()
            for p in model.parameters():
                p.grad.zero_()
            optimizer.step()
Trainer().fit()
""",
    "step_before_backward plain": """
model = nn.Linear(6, 3)
optimizer = torch.optim.SGD(model.parameters(), 0.05)
for a, b in loader:
    loss = F.cross_entropy(model(a), b)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
""",
    "step_before_backward cleared at the start": """
for a, b in loader:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(a), b)
    optimizer.step()
    loss.backward()
""",
    "step_before_backward without a model": """
w = torch.zeros(6, 1, requires_grad=True)
opt = torch.optim.SGD([w], 0.01)
for a, b in loader:
    loss = (a @ w - b[:, None]).abs().mean()
    opt.step()
    opt.zero_grad()
    loss.backward()
""",
    "missing_backward plain": """
for a, b in loader:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(a), b)
    optimizer.step()
""",
    "missing_backward named and not called": """
for a, b in loader:
    loss = nn.NLLLoss()(model(a).log_softmax(1), b)
    loss.backward
    optimizer.step()
    optimizer.zero_grad()
""",
    "missing_step plain": """
for a, b in loader:
    optimizer.zero_grad()
    F.cross_entropy(model(a), b).backward()
""",
    "missing_step once per epoch": """
for epoch in range(3):
    for a, b in loader:
        optimizer.zero_grad()
        F.cross_entropy(model(a), b).backward()
    optimizer.step()
""",
}


@pytest.mark.parametrize("name", BUGGY)
def test_the_bug_is_named_and_nothing_else(name: str) -> None:
    assert bugs(DATA + BUGGY[name]) == [name.split(maxsplit=1)[0]]


RIGHT = {
    "cleared at the start": """
for a, b in loader:
    optimizer.zero_grad()
    F.cross_entropy(model(a), b).backward()
    optimizer.step()
""",
    "cleared between forward and backward": """
for a, b in loader:
    loss = F.cross_entropy(model(a), b)
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
""",
    "cleared by the model after the step": """
for a, b in loader:
    F.cross_entropy(model(a), b).backward()
    optimizer.step()
    model.zero_grad()
""",
    "set to None by hand": """
for a, b in loader:
    for p in model.parameters():
        p.grad = None
    F.cross_entropy(model(a), b).backward()
    optimizer.step()
""",
    "gradients asked for and given by hand": """
for a, b in loader:
    loss = F.cross_entropy(model(a), b)
    for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
        p.grad = g
    optimizer.step()
""",
    "gradients asked for, updated by hand": """
for a, b in loader:
    loss = F.cross_entropy(model(a), b)
    with torch.no_grad():
        for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
            p -= 0.1 * g
""",
    "updated by hand through data": """
for a, b in loader:
    F.cross_entropy(model(a), b).backward()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
        p.grad.zero_()
""",
    "accumulated on purpose": """
for i, (a, b) in enumerate(loader, 1):
    (F.cross_entropy(model(a), b) / 3).backward()
    if i % 3 == 0:
        optimizer.step()
        optimizer.zero_grad()
""",
    "a closure": """
def closure():
    lbfgs.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return loss
lbfgs = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
for _ in range(3):
    lbfgs.step(closure)
""",
    "a closure for SGD": """
for a, b in loader:
    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(a), b)
        loss.backward()
        return loss
    optimizer.step(closure)
""",
    "two players, the second's gradients left behind in the first": """
g, d = nn.Linear(4, 6), nn.Linear(6, 1)
go, do = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-3)
bce = nn.BCEWithLogitsLoss()
for a, b in loader:
    one, zero = torch.ones(len(a), 1), torch.zeros(len(a), 1)
    fake = g(torch.randn(len(a), 4))
    do.zero_grad()
    bce(d(a), one).backward()
    bce(d(fake.detach()), zero).backward()
    do.step()
    go.zero_grad()
    bce(d(fake), one).backward()
    go.step()
""",
    "actor and critic, both losses computed first": """
actor, critic = nn.Linear(6, 3), nn.Linear(6, 1)
ao = torch.optim.Adam(actor.parameters(), 1e-3)
co = torch.optim.Adam(critic.parameters(), 1e-3)
for a, b in loader:
    advantage = torch.randn(len(a))
    actor_loss = -(actor(a).log_softmax(1)[range(len(a)), b] * advantage).mean()
    critic_loss = F.mse_loss(critic(a).squeeze(1), advantage)
    ao.zero_grad(); actor_loss.backward(); ao.step()
    co.zero_grad(); critic_loss.backward(); co.step()
""",
    "a scaler that skips": """
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**120)
for a, b in loader:
    optimizer.zero_grad()
    scaler.scale(F.cross_entropy(model(a), b)).backward()
    scaler.step(optimizer)
    scaler.update()
""",
    "gradients of each task taken apart before one step": """
two = torch.optim.SGD(model.parameters(), 0.05)
for a, b in loader:
    held = []
    for task in range(3):
        two.zero_grad()
        F.cross_entropy(model(a), (b + task) % 3).backward()
        held.append([p.grad.clone() for p in model.parameters()])
    for p, *grads in zip(model.parameters(), *held):
        p.grad = sum(grads) / 3
    two.step()
""",
    "the importance of weights, measured after training": """
for a, b in loader:
    optimizer.zero_grad()
    F.cross_entropy(model(a), b).backward()
    optimizer.step()
fisher = [torch.zeros_like(p) for p in model.parameters()]
for a, b in loader:
    model.zero_grad()
    F.cross_entropy(model(a), b).backward()
    for f, p in zip(fisher, model.parameters()):
        f += p.grad ** 2
""",
    "only the picture moves": """
for p in model.parameters():
    p.requires_grad_(False)
picture = torch.randn(1, 6, requires_grad=True)
paint = torch.optim.Adam([picture], 0.1)
for _ in range(5):
    paint.zero_grad()
    (-model(picture)[0, 1]).backward()
    paint.step()
""",
    "a step before training, so that the schedule does not warn": """
optimizer.zero_grad()
optimizer.step()
for a, b in loader:
    optimizer.zero_grad()
    F.cross_entropy(model(a), b).backward()
    optimizer.step()
""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_style_is_not_accused(name: str) -> None:
    assert bugs(DATA + RIGHT[name]) == []


def test_a_step_before_backward_is_named_though_pytorch_complains_of_something_else() -> None:
    source = """
for a, b in loader:
    loss = F.cross_entropy(model(a), b)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
"""
    log = watched(DATA + source)
    assert log.ended == "raised" and "inplace" in log.errors[0]["message"]
    assert list(accusations(log)) == ["step_before_backward"]


def test_the_message_tells_numbers_and_the_line() -> None:
    source = DATA + BUGGY["zero_grad_after_backward plain"]
    log = watched(source)
    found = accusations(log)["zero_grad_after_backward"]
    lines = log.where(next(e for e in log.of_kind("zero")))
    assert found.line == lines["line"] is not None
    assert "in 6 of the 6 steps" in found.message


NEVER = """
for epoch in range(3):
    {mode}
    for a, b in loader:
        {clear}
        loss = F.cross_entropy(model(a), b)
"""


@pytest.mark.parametrize(
    ("mode", "clear", "named"),
    [
        ("pass", "optimizer.zero_grad()", True),
        ("model.train()", "pass", True),
        ("model.eval()", "a, b = x, y", True),  # the same rows again and again, with a graph
        ("model.eval()", "pass", False),
    ],
)
def test_a_loop_that_neither_differentiates_nor_steps(mode: str, clear: str, named: bool) -> None:
    found = bugs(DATA + NEVER.format(mode=mode, clear=clear))
    assert found == (["missing_backward", "missing_step"] if named else [])
