"""`benchmarks.corpus`: what is found, missed and accused, and the exit status that follows."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from autograder.errors import InputError
from autograder.model import CheckResult, Result, Status, Visibility
from autograder.watch.findings import Finding
from autograder.watch.watcher import Watched
from benchmarks import corpus
from benchmarks.corpus import Outcome, Seen
from benchmarks.labels import Sample

BUGGY = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(64, 4)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(2):
    for a, b in DataLoader(TensorDataset(x, y), 16, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(a), b)
        loss.backward()
        opt.step()
"""


def sample(kind: str = "bug", bugs: str = "", also: str = "", name: str = "a.py") -> Sample:
    expected, allowed = (frozenset(filter(None, c.split(";"))) for c in (bugs, also))
    return Sample(Path(name), name, kind, expected, allowed)


def outcome(row: Sample, *bugs: str, notes: tuple[str, ...] = (), failed: str = "") -> Outcome:
    return Outcome(row, Seen(dict.fromkeys(bugs, "why"), dict.fromkeys(notes, "why"), failed))


@pytest.mark.parametrize(
    ("label", "said", "missed", "false"),
    [
        (("missing_step", ""), ("missing_step",), (), ()),
        (("missing_step", ""), (), ("missing_step",), ()),
        (("missing_step", ""), ("lr_too_low",), ("missing_step",), ("lr_too_low",)),
        (("missing_step", "lr_too_low"), ("lr_too_low",), (), ()),
        (("missing_step", "lr_too_low"), ("missing_step", "lr_too_low"), (), ()),
        (("missing_step;mse_broadcast", ""), ("mse_broadcast",), ("missing_step",), ()),
        (("missing_step;mse_broadcast", "lr_too_low"), ("lr_too_low",), ("mse_broadcast",), ()),
        (("", "lr_too_low"), ("lr_too_low",), (), ()),
        (("", ""), ("lr_too_low",), (), ("lr_too_low",)),
    ],
)
def test_what_is_missed_and_what_is_false(
    label: tuple[str, str],
    said: tuple[str, ...],
    missed: tuple[str, ...],
    false: tuple[str, ...],
) -> None:
    got = outcome(sample("bug" if label[0] else "correct", *label), *said)
    # Which of two missing ids an acceptable one stands for is not said; their number is.
    assert (len(got.missed), got.false) == (len(missed), false)
    assert bool(got.missed or got.false) == got.bad


def test_a_note_is_found_where_it_is_expected_and_accuses_nobody() -> None:
    assert not outcome(sample(bugs="eval_shuffled"), notes=("eval_shuffled",)).bad
    assert not outcome(sample("correct"), notes=("eval_shuffled",)).bad


def test_stretch_may_be_missed_but_not_accused() -> None:
    hidden = sample("stretch", "split_overlap")
    assert outcome(hidden).missed == ("split_overlap",)
    assert not outcome(hidden).bad
    assert outcome(sample("stretch"), "split_overlap").bad


def test_a_file_of_which_nothing_was_seen_is_bad() -> None:
    assert outcome(sample("correct"), failed="timeout").bad


def test_the_counts() -> None:
    rows = corpus.counts(
        [
            outcome(sample(bugs="missing_step"), "missing_step"),
            outcome(sample(bugs="missing_step"), "lr_too_low"),
            outcome(sample(bugs="missing_step")),
            outcome(sample("stretch", "missing_step")),
            outcome(sample("correct"), "lr_too_low"),
        ]
    )
    assert vars(rows["missing_step"]) == {
        "samples": 3,
        "found": 2,
        "right": 1,
        "missed": 2,
        "false": 0,
    }
    assert rows["lr_too_low"].false == 2
    assert rows["lr_too_low"].samples == 0


def test_what_watch_said() -> None:
    found = (
        Finding("missing_step", "no step", line=7),
        Finding("eval_shuffled", "in another order", "note"),
    )
    seen = corpus.watched(Watched("a.py", found, faults=("a hook",)), correct=True)
    assert seen == Seen(
        {"missing_step": "line 7: no step"}, {"eval_shuffled": "in another order"}, "", ("a hook",)
    )
    assert corpus.watched(Watched("a.py", failed="crash"), correct=False).failed == "crash"


def test_a_correct_program_that_raised_was_not_seen() -> None:
    raised = Watched("a.py", errors=({"type": "OSError", "message": "no such file"},))
    assert "no such file" in corpus.watched(raised, correct=True).failed
    assert not corpus.watched(raised, correct=False).failed


def check(id: str, points: float, status: Status, *bugs: str) -> CheckResult:
    return CheckResult(id, id, 1, status, 0.0, points, Visibility.HIDDEN, bugs, "why")


def result(*checks: CheckResult, status: str = "graded") -> Result:
    return Result("04", "a", "sha256:0", status, 0, 1, checks, notes=("no box",))  # type: ignore[arg-type]


def test_what_a_grade_said() -> None:
    seen = corpus.graded(
        result(
            check("beats", 1, Status.FAILED, "missing_step"),
            check("order", 0, Status.FAILED, "eval_shuffled"),
            check("accuracy", 1, Status.PARTIAL),
        ),
        correct=False,
    )
    assert seen == Seen({"missing_step": "beats: why"}, {"eval_shuffled": "order: why"})


def test_points_lost_by_a_correct_submission_are_an_accusation() -> None:
    lost = result(check("accuracy", 1, Status.PARTIAL), check("later", 1, Status.DEFERRED))
    assert corpus.graded(lost, correct=True).bugs == {"check accuracy": "partial: why"}


def test_an_ungradable_submission_was_not_seen() -> None:
    assert corpus.graded(result(status="ungradable"), correct=True).failed == "no box"


def test_choosing() -> None:
    rows = [
        sample(bugs="missing_step", name="bug/one.py"),
        sample(bugs="missing_step", name="bug/two.py"),
        sample(bugs="mse_broadcast", name="bug/three.py"),
        *(sample("correct", name=f"correct/{k}.py") for k in range(10)),
    ]
    assert [s.name for s in corpus.chosen(rows, "missing_step", fast=False)] == [
        "bug/one.py",
        "bug/two.py",
    ]
    assert len(corpus.chosen(rows, "correct", fast=False)) == 10
    quick = corpus.chosen(rows, "", fast=True)
    assert [s.name for s in quick if s.bugs] == ["bug/one.py", "bug/three.py"]
    assert 0 < len([s for s in quick if not s.bugs]) < 10
    with pytest.raises(InputError, match="nothing matches 'nowhere'"):
        corpus.chosen(rows, "nowhere", fast=False)


def shown(*outcomes: Outcome) -> str:
    out = io.StringIO()
    corpus.show(outcomes, Console(file=out, width=160))
    return out.getvalue()


def test_the_report_names_each_miss_and_accusation() -> None:
    text = shown(
        outcome(sample(bugs="missing_step", name="m.py"), notes=("eval_shuffled",)),
        outcome(sample("correct", name="c.py"), "lr_too_low"),
        outcome(sample("stretch", "split_overlap", name="s.py")),
        outcome(sample("correct", name="[red]x.py"), failed="it \x1b[31mdied"),
    )
    assert "MISSED m.py: expected missing_step, said eval_shuffled (note)" in text
    assert "FALSE c.py: lr_too_low: why" in text
    assert "missed, as it may be s.py: expected split_overlap, said nothing" in text
    assert "UNSEEN [red]x.py: it " in text
    assert "\x1b" not in text
    assert "correct: 2 files, 0 with a bug missed, 1 accused falsely, 1 not seen" in text


@pytest.mark.parametrize(
    ("label", "said", "status"),
    [
        ("a.py\tcorrect\t\t", {}, 0),
        ("a.py\tbug\tmissing_step\t", {"missing_step": "no step"}, 0),
        ("a.py\tbug\tmissing_step\t", {}, 1),
        ("a.py\tcorrect\t\t", {"missing_step": "no step"}, 1),
    ],
)
def test_the_exit_status(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    label: str,
    said: Mapping[str, str],
    status: int,
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "labels.tsv").write_text(f"file\tkind\tbugs\talso\n{label}\n")
    monkeypatch.setattr(corpus.Bench, "prepare", lambda *_: None)
    monkeypatch.setattr(corpus.Bench, "__call__", lambda *_: Seen(dict(said)))
    assert corpus.main([str(tmp_path), "--alone", "--json"]) == status
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is (status == 0)
    assert report["files"][0]["bugs"] == said


def test_wrong_use_is_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert corpus.main(["--alone"]) == 2
    assert corpus.main([str(tmp_path), "--alone"]) == 2
    assert "labels.tsv" in capsys.readouterr().err


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_planted_wrong_label_is_seen_in_real_boxes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "right.py").write_text(BUGGY)
    (tmp_path / "wrong.py").write_text(BUGGY.replace("        opt.zero_grad()\n", ""))
    honest = "right.py\tcorrect\t\t\nwrong.py\tbug\tmissing_zero_grad\t\n"
    labels = tmp_path / "labels.tsv"
    labels.write_text("file\tkind\tbugs\talso\n" + honest)
    assert corpus.main([str(tmp_path), "--alone", "--jobs", "1"]) == 0
    labels.write_text(
        "file\tkind\tbugs\talso\n" + honest.replace("bug\tmissing_zero_grad", "correct\t")
    )
    assert corpus.main([str(tmp_path), "--alone", "--jobs", "1"]) == 1
    assert "FALSE wrong.py: missing_zero_grad" in capsys.readouterr().out
