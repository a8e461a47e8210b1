"""Wrong programs: exact edits of the reference, and one line where one of them does not apply."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.authoring.master import reference
from autograder.course import config
from autograder.course.wrong import FILE, wrong_programs
from autograder.errors import ConfigError
from tests.samples import ASSIGNMENTS, ROOT

TEXT = "rate = 0.1\nfor epoch in range(3):\n    step(rate)\n    step(rate)\n"


def made(folder: Path, edits: str) -> str:
    (folder / FILE).write_text(f"programs:\n  odd:\n    says: odd\n    edits:\n{edits}")
    return wrong_programs(folder, TEXT)["odd"][1]


def test_edits_are_made_in_order(tmp_path: Path) -> None:
    assert wrong_programs(tmp_path, TEXT) == {}
    edits = (
        "      - {old: range(3), new: range(0)}\n"
        "      - {old: range(0), new: 'range(1)'}\n"
        '      - {old: "    step(rate)\\n", new: "    pass\\n", times: 2}\n'
    )
    assert made(tmp_path, edits) == "rate = 0.1\nfor epoch in range(1):\n    pass\n    pass\n"


@pytest.mark.parametrize(
    ("edits", "line", "said"),
    [
        (
            "      - {old: range(4), new: x}\n",
            5,
            "'range(4)' stands 0 times in the reference, not 1",
        ),
        ("      - {old: rate = 0.1, new: rate = 1}\n      - {old: step, new: x}\n", 6, "2 times"),
        ("      - {old: step, new: x, times: 3}\n", 5, "2 times in the reference, not 3"),
        ("      - {old: range(3), new: range(3}\n", 2, "is no Python"),
        ("      - {old: range(3), new: range(3)}\n", 2, "'odd' is the reference"),
        ("      - {old: '', new: x}\n", 5, "old"),
        ("      - {olt: a, new: x}\n", 5, "did you mean 'old'"),
        ("      []\n", 4, "edits"),
    ],
)
def test_an_edit_that_does_not_apply_is_one_line(
    tmp_path: Path, edits: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigError) as error:
        made(tmp_path, edits)
    told = str(error.value)
    assert said in told and "\n" not in told
    assert told.startswith(f"{tmp_path / FILE}:{line}: ") and error.value.remedy


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_wrong_programs_of_the_course_are_made(name: str) -> None:
    spec = config.assignment(ROOT / "assignments" / name / "assignment.yml")
    text = reference(ROOT / "source" / name, spec, "script").cells[0]
    found = wrong_programs(ROOT / "assignments" / name, text)
    calibrated = any(c.use == "accuracy" for c in spec.checks)
    asked = {"untrained", "affine", "half_the_epochs", "rate_x10", "rate_d10", "rate_x1000"}
    asked |= {"unshuffled", "no_zeroing", "wrong_loss", "shuffled_labels"}
    assert found.keys() >= (asked if calibrated else set())
    assert len({text for _, text in found.values()} | {text}) == len(found) + 1
