"""Early stopping, as the flight record tells it."""

from __future__ import annotations

import pytest

from autograder.watch.findings import findings
from tests.recorded import watched

# The loss of an evaluation is set by the weights, and those by the epoch: best at the third.
TASK = """
CURVE = [1.0, 0.8, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]
w = nn.Linear(1, 1)
sgd = torch.optim.SGD(w.parameters(), lr=0.0)
x, y = torch.ones(8, 1), torch.zeros(8, 1)
def train(epoch):
    sgd.zero_grad()
    F.mse_loss(w(x), y).backward()
    sgd.step()
    with torch.no_grad():
        w.weight.fill_(CURVE[epoch]); w.bias.zero_()
def validate():
    with torch.no_grad():
        return F.mse_loss(w(x), y).item()
"""
INLINE = """
patience, best, waited = PATIENCE, float("inf"), START
for epoch in range(10):
    train(epoch)
    loss = validate()
    if loss < best:
        best, waited = loss, START
    else:
        waited += 1
    if waited TEST patience:
        break
"""
OBJECT = """
class Stopper:
    def __init__(self, patience):
        self.patience, self.losses = patience, []
    def __call__(self, loss):
        self.losses.append(loss)
        best = self.losses.index(min(self.losses))
        return len(self.losses) - best - OFF >= self.patience
def fit(epochs, stop):
    for epoch in range(epochs):
        train(epoch)
        if stop(validate()):
            return
fit(10, Stopper(PATIENCE))
"""


def said(source: str, patience: int) -> list[tuple[str, str]]:
    log = watched(TASK + source.replace("PATIENCE", str(patience)))
    return [(f.bug, f.kind) for f in findings(log)]


@pytest.mark.parametrize("patience", [2, 3])
def test_a_stop_before_its_time_is_named(patience: int) -> None:
    inline = INLINE.replace("START", "1").replace("TEST", ">=")
    assert said(inline, patience) == [("early_stop_off_by_one", "bug")]
    assert said(OBJECT.replace("OFF", "0"), patience) == [("early_stop_off_by_one", "bug")]


def test_one_epoch_more_is_a_note_for_that_is_a_convention_too() -> None:
    inline = INLINE.replace("START", "0").replace("TEST", ">")
    assert said(inline, 3) == [("early_stop_off_by_one", "note")]
    words = "# stop after 3 epochs in a row without improvement" + inline
    assert said(words, 3) == [("early_stop_off_by_one", "bug")]


def test_patience_that_is_kept_passes() -> None:
    assert said(INLINE.replace("START", "0").replace("TEST", ">="), 3) == []
    assert said(OBJECT.replace("OFF", "1"), 3) == []


def test_a_plan_that_ran_out_passes() -> None:
    assert said(INLINE.replace("START", "0").replace("TEST", ">="), 8) == []


SETTINGS = INLINE.replace(
    "patience, best, waited = PATIENCE,", "cfg = {'fit': {'early_stop': PATIENCE}}\nbest, waited ="
).replace("patience:", "cfg['fit']['early_stop']:")
WORDS = SETTINGS.replace(
    "        break", '        print(f"no improvement for {SAID} epochs")\n        break'
)


def test_a_patience_among_settings_is_found() -> None:
    early = SETTINGS.replace("START", "0").replace("TEST", "+ 1 >=")
    assert said(early, 3) == [("early_stop_off_by_one", "bug")]
    assert said(SETTINGS.replace("START", "0").replace("TEST", ">="), 3) == []


def test_one_epoch_more_is_a_bug_where_the_program_says_that_it_waited_less() -> None:
    late = WORDS.replace("START", "0").replace("TEST", ">")
    untrue = late.replace("SAID", "cfg['fit']['early_stop']")
    assert said(untrue, 3) == [("early_stop_off_by_one", "bug")]
    assert said(late.replace("SAID", "waited"), 3) == [("early_stop_off_by_one", "note")]
