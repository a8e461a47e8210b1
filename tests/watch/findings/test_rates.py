"""The size of a step as findings: rates and sums, and the runs that only look like them."""

from __future__ import annotations

import pytest

from tests.recorded import bugs

DATA = """
x = torch.randn(96, 6)
y = (x[:, :3] + 0.1 * torch.randn(96, 3)).argmax(1)
t = x @ torch.randn(6, 1)
loader = DataLoader(TensorDataset(x, y, t), 16, shuffle=True)
model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
one = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 1))
SGD, Adam = torch.optim.SGD, torch.optim.Adam
def fit(net, opt, loss_of, epochs=3):
    for _ in range(epochs):
        for a, b, c in loader:
            opt.zero_grad()
            loss_of(net(a), b, c).backward()
            opt.step()
classes = lambda out, b, c: F.cross_entropy(out, b)
squares = lambda out, b, c: F.mse_loss(out, c)
"""

BUGGY = {
    "lr_too_high plain": "fit(model, SGD(model.parameters(), 200.0), classes)",
    "lr_too_high to no number": "fit(one, SGD(one.parameters(), 1e12, momentum=0.9), squares)",
    "lr_too_low plain": "fit(model, SGD(model.parameters(), 1e-8), classes)",
    "lr_too_low with Adam": "fit(one, Adam(one.parameters(), 1e-9), squares)",
    "sum_instead_of_mean plain": """
total = nn.CrossEntropyLoss(reduction="sum")
fit(model, SGD(model.parameters(), 0.05), lambda out, b, c: total(out, b))
""",
    "sum_instead_of_mean written by hand": """
fit(one, SGD(one.parameters(), 0.02), lambda out, b, c: ((out - c) ** 2).sum())
""",
    "sum_instead_of_mean of probabilities, with Adam": """
fit(model, Adam(model.parameters(), 1e-2),
    lambda out, b, c: F.nll_loss(out.log_softmax(1), b, reduction="sum"))
""",
}


@pytest.mark.parametrize("name", BUGGY)
def test_the_bug_is_named_and_nothing_else(name: str) -> None:
    assert bugs(DATA + BUGGY[name]) == [name.split(maxsplit=1)[0]]


RIGHT = {
    "a common rate": "fit(model, SGD(model.parameters(), 0.1), classes)",
    "a few careful steps": "fit(model, Adam(model.parameters(), 1e-5), classes, epochs=2)",
    "a warm-up that begins at next to nothing": """
opt = Adam(model.parameters(), 1e-6)
warm = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: k + 1.0)
for a, b, c in [*loader, *loader]:
    opt.zero_grad(); classes(model(a), b, c).backward(); opt.step(); warm.step()
""",
    "a small rate for a large sum": """
for k in range(30):
    if k == 0:
        opt = SGD(one.parameters(), 1e-4)
    opt.zero_grad()
    F.mse_loss(one(x), t, reduction="sum").backward()
    opt.step()
""",
    "a sum divided by the batch": """
fit(model, SGD(model.parameters(), 0.1),
    lambda out, b, c: F.cross_entropy(out, b, reduction="sum") / len(b))
""",
    "a sum whose gradients are divided by hand": """
opt = SGD(model.parameters(), 0.1)
for a, b, c in loader:
    opt.zero_grad()
    F.cross_entropy(model(a), b, reduction="sum").backward()
    for p in model.parameters():
        p.grad /= len(a)
    opt.step()
""",
    "a bound made of two sums": """
mean, spread = nn.Linear(6, 2), nn.Linear(6, 2)
back = nn.Linear(2, 6)
opt = Adam([*mean.parameters(), *spread.parameters(), *back.parameters()], 1e-3)
for a, b, c in loader:
    m, s = mean(a), spread(a)
    z = m + torch.randn_like(m) * (s / 2).exp()
    shown = F.binary_cross_entropy(back(z).sigmoid(), a.sigmoid(), reduction="sum")
    loss = shown - 0.5 * (1 + s - m ** 2 - s.exp()).sum()
    opt.zero_grad(); loss.backward(); opt.step()
""",
    "a rate that explodes and comes back": """
opt = SGD(model.parameters(), 0.1)
for k, (a, b, c) in enumerate([*loader] * 4):
    opt.param_groups[0]["lr"] = 3.0 if k == 2 else 0.1
    opt.zero_grad(); classes(model(a), b, c).backward(); opt.step()
""",
    "two players whose losses rise": """
g, d = nn.Linear(4, 6), nn.Linear(6, 1)
go, do = SGD(g.parameters(), 1e-4), SGD(d.parameters(), 2.0)
bce = nn.BCEWithLogitsLoss()
for a, b, c in [*loader] * 2:
    fake = g(torch.randn(len(a), 4))
    do.zero_grad()
    (bce(d(a), torch.ones(len(a), 1)) + bce(d(fake.detach()), torch.zeros(len(a), 1))).backward()
    do.step()
    go.zero_grad(); bce(d(fake), torch.ones(len(a), 1)).backward(); go.step()
""",
    "a policy that is rewarded": """
policy = nn.Linear(6, 3)
opt = SGD(policy.parameters(), 0.05)
for k in range(20):
    state = torch.randn(1, 6)
    chances = policy(state).log_softmax(1)
    action = int(chances.exp().multinomial(1))
    opt.zero_grad(); (-chances[:, action] * float(k)).sum().backward(); opt.step()
""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_only_looks_like_it_is_not_accused(name: str) -> None:
    assert bugs(DATA + RIGHT[name]) == []


BY_HAND = """
w = torch.full((6, 1), 0.3, requires_grad=True)
for _ in range(4):
    for a, b, c in loader:
        loss = ((a @ w + 1 - c) ** 2){reduce}
        {update}
"""
BACKWARD = """loss.backward()
        with torch.no_grad():
            w -= {rate} * w.grad{by}
            w.grad = None"""
ASKED = """(g,) = torch.autograd.grad(loss, [w])
        w.data = w.data - {rate} * g"""


@pytest.mark.parametrize(
    ("reduce", "update", "named"),
    [
        (".mean()", BACKWARD.format(rate=0.1, by=""), []),
        (".mean()", ASKED.format(rate=0.1), []),
        (".mean()", ASKED.format(rate=1e-7), ["lr_too_low"]),
        (".mean()", BACKWARD.format(rate=1e-7, by=""), ["lr_too_low"]),
        (".sum()", BACKWARD.format(rate=1e-3, by=""), []),
    ],
)
def test_the_rate_of_an_update_by_hand_is_measured(
    reduce: str, update: str, named: list[str]
) -> None:
    assert bugs(DATA + BY_HAND.format(reduce=reduce, update=update)) == named


@pytest.mark.parametrize(("by", "named"), [("", ["sum_instead_of_mean"]), (" / len(a)", [])])
def test_a_sum_updated_by_hand_is_judged_by_what_reaches_the_weights(
    by: str, named: list[str]
) -> None:
    source = """
for a, b, c in loader:
    model.zero_grad()
    loss = ((model(a) - F.one_hot(b, 3)) ** 2).sum()
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.02 * p.grad{by}
"""
    assert bugs(DATA + source.format(by=by)) == named


def test_a_rate_that_is_too_high_is_seen_below_the_factor_of_a_scaler() -> None:
    source = """
scaler = torch.amp.GradScaler("cpu", init_scale={scale})
adam = torch.optim.AdamW(model.parameters(), {rate})
for _ in range(3):
    for a, b, c in loader:
        adam.zero_grad()
        scaler.scale(F.cross_entropy(30 * model(a), b)).backward()
        scaler.step(adam)
        scaler.update()
"""
    assert bugs(DATA + source.format(scale=1024.0, rate=30.0)) == ["lr_too_high"]
    assert bugs(DATA + source.format(scale=2.0**16, rate=1e-3)) == []


NAN = """
t[7] = float("nan")
opt = SGD(one.parameters(), 0.01)
for _ in range(3):
    for a, b, c in loader:
        loss = F.mse_loss(one(a), c)
        {guard}
        opt.zero_grad()
        loss.backward()
        opt.step()
"""


def test_a_loss_that_is_no_number_any_more() -> None:
    assert bugs(DATA + NAN.format(guard="pass")) == ["nan_loss"]
    guard = "if not torch.isfinite(loss): continue"
    assert bugs(DATA + NAN.format(guard=guard)) == []
    assert bugs(DATA + NAN.format(guard="loss = torch.nan_to_num(loss)")) == []
