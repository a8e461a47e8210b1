"""Clipping, accumulating and decaying as findings, with the styles that are right."""

from __future__ import annotations

import pytest

from tests.recorded import bugs, notes

DATA = """
x, y = torch.randn(48, 6), torch.randint(0, 3, (48,))
loader = DataLoader(TensorDataset(x, y), 8, shuffle=True)
model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
clip = nn.utils.clip_grad_norm_
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
"""

BUGGY = {
    "clip_before_unscale plain": """
for a, b in loader:
    optimizer.zero_grad()
    scaler.scale(F.cross_entropy(model(a), b)).backward()
    clip(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
""",
    "clip_before_unscale by value, unscaled too late": """
def one(a, b):
    optimizer.zero_grad(set_to_none=False)
    with torch.autocast("cpu", torch.bfloat16):
        loss = nn.CrossEntropyLoss()(model(a), b)
    scaler.scale(loss).backward()
    torch.nn.utils.clip_grad_value_(model.parameters(), clip_value=0.5)
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
for a, b in loader:
    one(a, b)
""",
    "clip_no_effect after the step": """
for a, b in loader:
    optimizer.zero_grad()
    F.cross_entropy(model(a), b).backward()
    optimizer.step()
    clip(model.parameters(), 0.1)
""",
    "clip_no_effect before the backward pass": """
for a, b in loader:
    loss = F.cross_entropy(model(a), b)
    optimizer.zero_grad(set_to_none=False)
    clip(model.parameters(), max_norm=0.1)
    loss.backward()
    optimizer.step()
""",
    "clip_no_effect on an exhausted generator": """
weights = model.parameters()
sgd = torch.optim.SGD(weights, 0.05)
for a, b in loader:
    sgd.zero_grad()
    F.cross_entropy(model(a), b).backward()
    clip(weights, 0.1)
    sgd.step()
""",
    "accumulation_not_scaled plain": """
for i, (a, b) in enumerate(loader, 1):
    F.cross_entropy(model(a), b).backward()
    if i % 3 == 0:
        optimizer.step()
        optimizer.zero_grad()
""",
    "accumulation_not_scaled with a scaler and a hand-written loss": """
for epoch in range(2):
    for i, (a, b) in enumerate(loader):
        loss = (model(a).logsumexp(1) - model(a)[range(len(a)), b]).mean()
        scaler.scale(loss).backward()
        if (i + 1) % 2 == 0:
            scaler.unscale_(optimizer)
            clip(model.parameters(), 100.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
""",
    "accumulation_not_scaled without a loader": """
for epoch in range(3):
    optimizer.zero_grad()
    for i in range(0, 48, 12):
        F.cross_entropy(model(x[i : i + 12]), y[i : i + 12]).backward()
    optimizer.step()
""",
    "wrong_weight_decay plain": """
sgd = torch.optim.SGD(model.parameters(), 0.05, weight_decay=1e-2)
for a, b in loader:
    sgd.zero_grad()
    loss = F.cross_entropy(model(a), b)
    loss = loss + 1e-2 * sum((p ** 2).sum() for p in model.parameters())
    loss.backward()
    sgd.step()
""",
    "wrong_weight_decay by norms in a function, of one group": """
groups = [{"params": model[0].parameters(), "weight_decay": 0.1},
          {"params": model[2].parameters()}]
adam = torch.optim.AdamW(groups, 1e-3, weight_decay=0.0)
def penalty():
    return sum(torch.linalg.norm(m.weight) ** 2 for m in model if isinstance(m, nn.Linear))
for a, b in loader:
    adam.zero_grad()
    (nn.CrossEntropyLoss()(model(a), b) + 0.5 * 1e-3 * penalty()).backward()
    adam.step()
""",
    "wrong_weight_decay with a wrong sign": """
for a, b in loader:
    optimizer.zero_grad()
    l2 = torch.stack([p.square().sum() for p in model.parameters()]).sum()
    (F.cross_entropy(model(a), b) - 1e-4 * l2).backward()
    optimizer.step()
""",
    "wrong_weight_decay by hand": """
sgd = torch.optim.SGD(model.parameters(), 0.05, weight_decay=1e-2)
for a, b in loader:
    sgd.zero_grad()
    F.cross_entropy(model(a), b).backward()
    sgd.step()
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1 - 0.05 * 1e-2)
""",
}


@pytest.mark.parametrize("name", BUGGY)
def test_the_bug_is_named_and_nothing_else(name: str) -> None:
    assert bugs(DATA + BUGGY[name]) == [name.split(maxsplit=1)[0]]


LOOP = """
for a, b in loader:
    optimizer.zero_grad()
    {loss}.backward()
    {then}
"""
RIGHT = {
    "unscaled, clipped, stepped": LOOP.format(
        loss="scaler.scale(F.cross_entropy(model(a), b))",
        then="scaler.unscale_(optimizer); clip(model.parameters(), 1.0); scaler.step(optimizer); "
        "scaler.update()",
    ),
    "clipped to a scaled limit": LOOP.format(
        loss="scaler.scale(F.cross_entropy(model(a), b))",
        then="clip(model.parameters(), 2.0 * scaler.get_scale()); scaler.step(optimizer); "
        "scaler.update()",
    ),
    "a scaler that is switched off": "scaler = torch.amp.GradScaler('cpu', enabled=False)"
    + LOOP.format(
        loss="scaler.scale(F.cross_entropy(model(a), b))",
        then="clip(model.parameters(), 1.0); scaler.step(optimizer); scaler.update()",
    ),
    "clipped by value": LOOP.format(
        loss="F.cross_entropy(model(a), b)",
        then="nn.utils.clip_grad_value_(model.parameters(), 0.01); optimizer.step()",
    ),
    "only measured, after the step": LOOP.format(
        loss="F.cross_entropy(model(a), b)",
        then="optimizer.step(); norm = clip(model.parameters(), float('inf'))",
    ),
    "clipped although small": LOOP.format(
        loss="F.cross_entropy(model(a), b)",
        then="clip(model.parameters(), 1e3); optimizer.step()",
    ),
    "clipped in an update by hand": """
for a, b in loader:
    F.cross_entropy(model(a), b).backward()
    clip(model.parameters(), 0.1)
    with torch.no_grad():
        for p in model.parameters():
            p -= 0.1 * p.grad
            p.grad = None
""",
    "two players, each clipped in turn": """
one, two = nn.Linear(6, 3), nn.Linear(6, 3)
oo, ot = torch.optim.Adam(one.parameters()), torch.optim.Adam(two.parameters())
for a, b in loader:
    for net, opt in ((one, oo), (two, ot)):
        opt.zero_grad()
        F.cross_entropy(net(a), b).backward()
        clip(net.parameters(), 0.1)
        opt.step()
""",
    "accumulated and divided, the rest flushed": """
for i, (a, b) in enumerate(loader, 1):
    (F.cross_entropy(model(a), b) / 4).backward()
    if i % 4 == 0 or i == len(loader):
        optimizer.step()
        optimizer.zero_grad()
""",
    "accumulated sums divided by all": """
for epoch in range(2):
    optimizer.zero_grad()
    for a, b in loader:
        (F.cross_entropy(model(a), b, reduction="sum") / 48).backward()
    optimizer.step()
""",
    "accumulated, the gradients divided by hand": """
for i, (a, b) in enumerate(loader, 1):
    F.cross_entropy(model(a), b).backward()
    if i % 2 == 0:
        for p in model.parameters():
            p.grad /= 2
        optimizer.step()
        optimizer.zero_grad()
""",
    "a real and a fake batch": """
d = nn.Linear(6, 1)
do = torch.optim.SGD(d.parameters(), 0.01)
def judge(batch, label):
    F.binary_cross_entropy_with_logits(d(batch), torch.full((len(batch), 1), label)).backward()
for a, b in loader:
    do.zero_grad()
    judge(a, 1.0)
    judge(torch.randn(8, 6), 0.0)
    do.step()
""",
    "labelled and unlabelled batches from two loaders": """
other = DataLoader(TensorDataset(torch.randn(48, 6)), 8)
for (a, b), (c,) in zip(loader, other):
    optimizer.zero_grad()
    F.cross_entropy(model(a), b).backward()
    (0.1 * -(model(c).softmax(1) * model(c).log_softmax(1)).sum(1).mean()).backward()
    optimizer.step()
""",
    "two tasks' losses": """
for a, b in loader:
    optimizer.zero_grad()
    F.cross_entropy(model(a), b).backward()
    F.cross_entropy(model(a), (b + 1) % 3).backward()
    optimizer.step()
""",
    "a decay and a penalty of the absolute values": """
sgd = torch.optim.SGD(model.parameters(), 0.05, weight_decay=1e-2)
for a, b in loader:
    sgd.zero_grad()
    lasso = sum(p.abs().sum() for p in model.parameters())
    (F.cross_entropy(model(a), b) + 1e-4 * lasso).backward()
    sgd.step()
""",
    "a penalty alone": """
for a, b in loader:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(a), b)
    for p in model.parameters():
        loss = loss + 1e-3 * p.pow(2).sum()
    loss.backward()
    optimizer.step()
""",
    "AdamW": """
adam = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.1)
for a, b in loader:
    adam.zero_grad()
    F.cross_entropy(model(a), b).backward()
    adam.step()
""",
    "normalised weights under decay": """
class Cosine(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 6))
    def forward(self, z):
        return F.normalize(z) @ F.normalize(self.weight).t() * 4
net = Cosine()
sgd = torch.optim.SGD(net.parameters(), 0.05, weight_decay=1e-2)
for a, b in loader:
    sgd.zero_grad()
    F.cross_entropy(net(a), b).backward()
    sgd.step()
""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_style_is_not_accused(name: str) -> None:
    assert bugs(DATA + RIGHT[name]) == []


GATHER = """
for epoch in range(3):
    {begin}
    for i, (a, b) in enumerate(loader, {first}):
        (F.cross_entropy(model(a), b) / 4).backward()
        if {when}:
            optimizer.step()
            optimizer.zero_grad()
"""


@pytest.mark.parametrize(
    ("begin", "first", "when", "said"),
    [
        ("optimizer.zero_grad()", 1, "i % 4 == 0", ["batches_lost"]),
        ("model.zero_grad()", 1, "i % 4 == 0", ["batches_lost"]),
        ("optimizer.zero_grad()", 0, "i % 4 == 0", ["batches_lost"]),  # the first one steps alone
        ("optimizer.zero_grad()", 1, "i % 4 == 0 or i == len(loader)", []),
        ("optimizer.zero_grad()", 1, "i % 3 == 0", []),
        ("pass", 1, "i % 4 == 0", []),
        ("pass", 1, "(epoch * 6 + i) % 4 == 0", []),
        ("optimizer.zero_grad()", 1, "True", []),
    ],
)
def test_batches_that_no_step_used_are_a_note(
    begin: str, first: int, when: str, said: list[str]
) -> None:
    source = DATA + GATHER.format(begin=begin, first=first, when=when)
    assert [n for n in notes(source) if n == "batches_lost"] == said


def test_windows_dropped_for_what_came_of_them_are_no_lost_batches() -> None:
    source = """
x[5] = float("nan")
for epoch in range(3):
    for i, (a, b) in enumerate(loader, 1):
        (F.cross_entropy(model(a), b) / 2).backward()
        if i % 2 == 0:
            if all(p.grad.isfinite().all() for p in model.parameters()):
                optimizer.step()
            optimizer.zero_grad()
"""
    assert notes(DATA + source) == []
