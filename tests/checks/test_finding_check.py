"""`finding`: points for what `autograder watch` would say of the student's own run."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import ConfigError
from tests.own_checks import Lab, outline

LOOP = """
    x, y = torch.randn(64, 5), torch.randint(0, 3, (64,))
    net = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(3):
        for i in range(0, 64, 8):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[i:i + 8]), y[i:i + 8])
            loss.backward()
            optimizer.step()
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def asked(bug: str) -> dict[str, object]:
    return {"use": "finding", "with": {"bug": bug}}


def test_a_bug_of_the_own_run_costs_its_check_and_no_other(lab: Lab) -> None:
    clearing, softmax = asked("missing_zero_grad"), asked("softmax_before_cross_entropy")
    good = lab.ask(LOOP, clearing, softmax)
    assert [outline(f) for f in good] == [("passed", []), ("passed", [])]
    never = LOOP.replace("optimizer.zero_grad()", "pass")
    first, second = lab.ask(never, clearing, softmax)
    assert outline(first) == ("failed", ["missing_zero_grad"]) and "line" in first.message
    assert outline(second)[0] == "passed"


def test_where_nothing_was_seen_nothing_is_decided(lab: Lab) -> None:
    found = lab.one("x = 1\n", asked("missing_zero_grad"))
    assert outline(found) == ("not_checked", [])


@pytest.mark.parametrize(
    ("bug", "said"),
    [("wrong_device", "ask: device"), ("missing_zero_grat", "did you mean 'missing_zero_grad'")],
)
def test_what_no_run_shows_is_refused(lab: Lab, bug: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        lab.assignment(asked(bug))
    assert said in str(caught.value)
