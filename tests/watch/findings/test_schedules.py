"""Schedules as findings: out of order, out of step with their settings, and the right cadences."""

from __future__ import annotations

import pytest

from tests.recorded import accusations, bugs, watched

DATA = """
from torch.optim import lr_scheduler as lrs
x, y = torch.randn(48, 6), torch.randint(0, 3, (48,))
loader = DataLoader(TensorDataset(x, y), 8, shuffle=True)
model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
optimizer = torch.optim.SGD(model.parameters(), 0.05)
def step(a, b):
    optimizer.zero_grad()
    F.cross_entropy(model(a), b).backward()
    optimizer.step()
"""
EPOCHS = """
schedule = {schedule}
for epoch in range({epochs}):
    {first}
    for a, b in loader:
        {before}
        step(a, b)
        {batch}
    {epoch}
"""
STEP = "schedule.step()"


def program(schedule: str, epochs: int = 4, **places: str) -> str:
    """A loop of epochs of six batches with a schedule stepped in the given places."""
    kept = {"first": "pass", "before": "pass", "batch": "pass", "epoch": "pass"}
    return DATA + EPOCHS.format(schedule=schedule, epochs=epochs, **(kept | places))


BUGGY = {
    "before each epoch": program("lrs.StepLR(optimizer, 1, 0.5)", first=STEP),
    "before each batch": program("lrs.LambdaLR(optimizer, lambda t: 0.99**t)", before=STEP),
    "epochs, stepped by batch: cosine": program("lrs.CosineAnnealingLR(optimizer, 4)", batch=STEP),
    "epochs, stepped by batch: steps": program("lrs.StepLR(optimizer, 2)", batch=STEP),
    "epochs, stepped by batch: milestones": program(
        "lrs.MultiStepLR(optimizer, [2, 3])", batch=STEP
    ),
    "epochs, stepped by batch: powers": program("lrs.ExponentialLR(optimizer, 0.8)", batch=STEP),
    "one cycle of batches, stepped by epoch": program(
        "lrs.OneCycleLR(optimizer, 0.1, epochs=4, steps_per_epoch=6)", epoch=STEP
    ),
    "cosine of batches, stepped by epoch": program(
        "lrs.CosineAnnealingLR(optimizer, T_max=24)", epoch=STEP
    ),
    "epochs drawn by hand": DATA
    + """
schedule = lrs.StepLR(optimizer, step_size=2)
for epoch in range(4):
    for rows in torch.randperm(48).split(8):
        step(x[rows], y[rows])
        schedule.step()
""",
}


@pytest.mark.parametrize("name", BUGGY)
def test_the_bug_is_named_and_nothing_else(name: str) -> None:
    assert bugs(BUGGY[name]) == ["scheduler_order"]


RIGHT = {
    "steps by epoch": program("lrs.StepLR(optimizer, 2)", epoch=STEP),
    "one cycle by batch": program("lrs.OneCycleLR(optimizer, 0.1, total_steps=24)", batch=STEP),
    "one cycle by epoch": program("lrs.OneCycleLR(optimizer, 0.1, total_steps=4)", epoch=STEP),
    "one cycle cut short": program(
        "lrs.OneCycleLR(optimizer, 0.1, total_steps=600)", batch=STEP, epochs=2
    ),
    "cosine by batch": program("lrs.CosineAnnealingLR(optimizer, 24)", batch=STEP),
    "cosine by epoch": program("lrs.CosineAnnealingLR(optimizer, 4)", epoch=STEP),
    "restarts by fractions": program(
        "lrs.CosineAnnealingWarmRestarts(optimizer, 2)", batch="schedule.step(epoch + 0.5)"
    ),
    "warm-up by batch": program(
        "lrs.LambdaLR(optimizer, lambda t: min(1.0, (t + 1) / 5))", batch=STEP
    ),
    "warm-up, then cosine": program(
        "lrs.SequentialLR(optimizer, [lrs.LinearLR(optimizer, 0.1, total_iters=4), "
        "lrs.CosineAnnealingLR(optimizer, 20)], [4])",
        batch=STEP,
    ),
    "steps of many batches": program("lrs.StepLR(optimizer, 10, 0.5)", batch=STEP),
    "slow powers by batch": program("lrs.ExponentialLR(optimizer, 0.99)", batch=STEP),
    "plateau by epoch": program("lrs.ReduceLROnPlateau(optimizer)", epoch="schedule.step(1.0)"),
    "set by hand": program(
        "None", epoch="optimizer.param_groups[0]['lr'] *= 0.5", first="model.train()"
    ),
    "caught up after resuming, then by epoch": program(
        "lrs.StepLR(optimizer, 2); schedule.step()", epoch=STEP
    ),
    "full batches, one schedule step each": DATA
    + """
schedule = lrs.CosineAnnealingLR(optimizer, 20)
for epoch in range(20):
    step(x, y)
    schedule.step()
""",
    "a scaler that skips the first steps": DATA
    + """
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**120, growth_interval=1)
optimizer = torch.optim.SGD(model.parameters(), 5e-5)  # as the loss is a thousand times its size
schedule = lrs.StepLR(optimizer, 4)
for epoch in range(2):
    for a, b in loader:
        optimizer.zero_grad()
        scaler.scale(F.cross_entropy(model(a), b) * 1e3).backward()
        scaler.step(optimizer)
        scaler.update(2.0**8)
    schedule.step()
""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_cadence_is_not_accused(name: str) -> None:
    assert bugs(RIGHT[name]) == []


def test_a_schedule_stepped_beyond_its_end_is_named_by_its_error() -> None:
    source = program("lrs.OneCycleLR(optimizer, 0.1, total_steps=4)", batch=STEP)
    log = watched(source)
    assert log.ended == "raised"
    assert "more often than it was made for" in accusations(log)["scheduler_order"].message


SEVERAL = (
    DATA
    + """
schedule = {schedule}
for epoch in range(4):
    for i, (a, b) in enumerate(loader, 1):
        (F.cross_entropy(model(a), b) / 3).backward()
        if i % 3 == 0:
            optimizer.step()
            optimizer.zero_grad()
            {update}
        {each}
"""
)
CALLS = {"each": {"each": STEP, "update": "pass"}, "update": {"each": "pass", "update": STEP}}


@pytest.mark.parametrize(
    ("schedule", "when", "named"),
    [
        ("lrs.LambdaLR(optimizer, lambda t: max(0.0, 1 - t / 8))", "each", True),
        ("lrs.CosineAnnealingLR(optimizer, T_max=8)", "each", True),
        ("lrs.LinearLR(optimizer, 1.0, 0.01, total_iters=8)", "each", True),
        ("lrs.LambdaLR(optimizer, lambda t: max(0.0, 1 - t / 8))", "update", False),
        ("lrs.LambdaLR(optimizer, lambda t: max(0.0, 1 - t / 24))", "each", False),
        ("lrs.CosineAnnealingLR(optimizer, T_max=24)", "each", False),
        ("lrs.LambdaLR(optimizer, lambda t: min(1.0, (t + 1) / 8))", "each", False),
    ],
)
def test_a_schedule_of_updates_is_not_for_every_batch(
    schedule: str, when: str, named: bool
) -> None:
    source = SEVERAL.format(schedule=schedule, **CALLS[when])
    assert bugs(source) == (["scheduler_order"] if named else [])


PLATEAU = (
    DATA
    + """
schedule = lrs.ReduceLROnPlateau(optimizer, {mode}patience=0)
for epoch in range(4):
    for a, b in loader:
        step(a, b)
    loss = right = 0
    with torch.no_grad():
        for a, b in DataLoader(TensorDataset(x, y), 16):
            loss += F.cross_entropy(model(a), b).item() * len(b)
            right += (model(a).argmax(1) == b).sum().item()
    schedule.step({fed})
"""
)


@pytest.mark.parametrize(
    ("mode", "fed", "named"),
    [
        ("", "right / len(x)", True),
        ("", "100 * right / len(x)", True),
        ("mode='min', ", "right", True),
        ("mode='max', ", "loss / len(x)", True),
        ("mode='max', ", "right / len(x)", False),
        ("", "loss / len(x)", False),
        ("", "loss", False),
        ("", "1 - right / len(x)", False),
        ("", "-right", False),
    ],
)
def test_which_way_is_better(mode: str, fed: str, named: bool) -> None:
    assert bugs(PLATEAU.format(mode=mode, fed=fed)) == (["plateau_mode"] if named else [])
