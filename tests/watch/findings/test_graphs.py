"""Graphs that live too long and errors of differentiation as findings, by their causes."""

from __future__ import annotations

import pytest

from tests.recorded import accusations, bugs, watched

DATA = """
x, y = torch.randn(64, 6), torch.randint(0, 3, (64,))
loader = DataLoader(TensorDataset(x, y), 8, shuffle=True)
model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
optimizer = torch.optim.SGD(model.parameters(), 0.05)
def step(loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRU(6, 8, batch_first=True), nn.Linear(8, 3)
        self.state = None
    def forward(self, z, state=None):
        out, state = self.cell(z, state)
        return self.head(out[:, -1]), state
tagger = Tagger()
rnn = torch.optim.SGD(tagger.parameters(), 0.05)
parts = torch.randn(8, 4, 5, 6)
aims = torch.randint(0, 3, (8, 4))
"""

KEPT = {
    "a running total": """
for epoch in range(2):
    total = 0
    for a, b in loader:
        total += step(F.cross_entropy(model(a), b))
""",
    "a history, in a class": """
class Fit:
    def __init__(self):
        self.history = []
    def run(self):
        for a, b in loader:
            loss = ((model(a) - F.one_hot(b, 3)) ** 2).mean()
            self.history.append(step(loss))
Fit().run()
""",
}


@pytest.mark.parametrize("name", KEPT)
def test_losses_kept_with_their_graphs_are_named(name: str) -> None:
    assert bugs(DATA + KEPT[name]) == ["loss_graph_accumulated"]


RAISED = {
    "loss_graph_accumulated differentiated": """
total = 0
for a, b in loader:
    total = total + F.cross_entropy(model(a), b)
    step(total)
""",
    "hidden_state_not_detached plain": """
state = None
for part, aim in zip(parts, aims):
    out, state = tagger(part, state)
    rnn.zero_grad()
    F.cross_entropy(out, aim).backward()
    rnn.step()
""",
    "hidden_state_not_detached kept in the module": """
class Stateful(Tagger):
    def forward(self, z):
        out, self.state = self.cell(z, self.state)
        return self.head(out[:, -1])
net = Stateful()
opt = torch.optim.Adam(net.parameters())
for part, aim in zip(parts, aims):
    opt.zero_grad()
    F.cross_entropy(net(part), aim).backward()
    opt.step()
""",
    "hidden_state_not_detached with the graph retained": """
state = None
for part, aim in zip(parts, aims):
    out, state = tagger(part, state)
    rnn.zero_grad()
    F.cross_entropy(out, aim).backward(retain_graph=True)
    rnn.step()
""",
    "inplace_autograd_error plain": """
hidden = model[0](x).sigmoid()
hidden += 1
hidden.mul_(2)
step(F.cross_entropy(model[2](hidden.exp_().mul_(0.5)), y))
""",
    "inplace_autograd_error of a leaf": """
w = torch.zeros(6, requires_grad=True)
w += 1
""",
}


@pytest.mark.parametrize("name", RAISED)
def test_an_error_is_named_by_its_cause_and_line(name: str) -> None:
    log = watched(DATA + RAISED[name])
    assert log.ended == "raised"
    found = accusations(log)
    assert list(found) == [name.split(maxsplit=1)[0]]
    assert next(iter(found.values())).line is not None


def test_a_graph_that_grows_and_is_retained_is_named() -> None:
    source = """
state = None
for part, aim in zip(parts, aims):
    out, state = tagger(part, state)
    F.cross_entropy(out, aim).backward(retain_graph=True)
"""
    assert "hidden_state_not_detached" in bugs(DATA + source)


RIGHT = {
    "numbers": """
total, history = 0.0, []
for a, b in loader:
    loss = step(F.cross_entropy(model(a), b))
    total += loss.item()
    history.append(loss.detach())
""",
    "several losses before one backward pass": """
for a, b in loader:
    losses = [F.cross_entropy(model(a), (b + k) % 3) for k in range(6)]
    step(sum(losses))
""",
    "the best loss kept": """
best = None
for a, b in loader:
    loss = step(F.cross_entropy(model(a), b))
    if best is None or loss < best:
        best = loss
""",
    "the whole sequence at once": """
for _ in range(6):
    state, total = None, 0.0
    for part, aim in zip(parts, aims):
        out, state = tagger(part, state)
        total = total + F.cross_entropy(out, aim)
    rnn.zero_grad(); total.backward(); rnn.step()
""",
    "the state detached": """
state = None
for part, aim in zip(parts, aims):
    out, state = tagger(part, state)
    rnn.zero_grad(); F.cross_entropy(out, aim).backward(); rnn.step()
    state = state.detach()
""",
    "two losses of one graph": """
for a, b in loader:
    out = model(a)
    optimizer.zero_grad()
    F.cross_entropy(out, b).backward(retain_graph=True)
    (0.1 * out.pow(2).mean()).backward()
    optimizer.step()
""",
    "activations in place": """
net = nn.Sequential(nn.Linear(6, 12), nn.ReLU(inplace=True), nn.Linear(12, 3))
opt = torch.optim.SGD(net.parameters(), 0.05)
for a, b in loader:
    opt.zero_grad(); F.cross_entropy(net(a), b).backward(); opt.step()
""",
    "checkpointed segments": """
from torch.utils.checkpoint import checkpoint
for a, b in loader:
    for reentrant in (True, False):
        hidden = checkpoint(model[:2], a.clone().requires_grad_(), use_reentrant=reentrant)
        step(F.cross_entropy(model[2](hidden), b))
""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_style_is_not_accused(name: str) -> None:
    assert bugs(DATA + RIGHT[name]) == []


PARTS = """
scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
total, shares = torch.zeros(()), []
for _ in range(2):
    for a, b in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(a), b)
        extra = model(a).square().mean()
        scaler.scale(loss + 0.1 * extra).backward()
        scaler.step(optimizer)
        scaler.update()
        {kept}
"""


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        ("total = total + loss * len(a)", True),
        ("total += loss", True),
        ("shares.append(extra)", True),
        ("total = total + loss.detach()", False),
        ("total += loss.item()", False),
        ("shares = [loss, extra]", False),
    ],
)
def test_a_part_of_what_was_differentiated_is_kept_like_the_whole(kept: str, named: bool) -> None:
    found = bugs(DATA + PARTS.format(kept=kept))
    assert found == (["loss_graph_accumulated"] if named else [])
