"""`benchmarks.labels`: rows, errors with file, line and remedy, which assignment is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.errors import InputError
from benchmarks.labels import Sample, answered, asked, definitions, of_assignments, of_folder

ROOT = Path(__file__).resolve().parent.parent
HEADER = "file\tkind\tbugs\talso\n"
FIVE = "def set_seed(s): ...\nclass MLP: ...\ndef train_one_epoch(): ...\ndef evaluate(): ...\n"


def folder(tmp_path: Path, labels: str, **files: str) -> Path:
    for name, text in {"a": "x = 1\n", **files}.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "labels.tsv").write_text(labels)
    return tmp_path


def test_a_row_is_read(tmp_path: Path) -> None:
    row = "a.py\tbug\tmissing_step;lr_too_low\tlr_too_high\n"
    (sample,) = of_folder(folder(tmp_path, HEADER + row), ROOT)
    assert sample == Sample(
        tmp_path / "a.py",
        "a.py",
        "bug",
        frozenset({"missing_step", "lr_too_low"}),
        frozenset({"lr_too_high"}),
    )


def test_empty_cells_dashes_and_comments(tmp_path: Path) -> None:
    labels = HEADER + "# said of nobody\n\na.py\tcorrect\t-\t-\nb.py\tcorrect\n"
    samples = of_folder(folder(tmp_path, labels, b=""), ROOT)
    assert [(s.name, s.bugs, s.also) for s in samples] == [
        ("a.py", frozenset(), frozenset()),
        ("b.py", frozenset(), frozenset()),
    ]


@pytest.mark.parametrize("header", ["", "path\tkind\texpected ids\talternatives\n", HEADER])
def test_a_header_may_be_there(tmp_path: Path, header: str) -> None:
    row = "a.py\tbug\tmissing_step; lr_too_low\tnone\n"
    (sample,) = of_folder(folder(tmp_path, header + row), ROOT)
    assert sample.bugs == {"missing_step", "lr_too_low"}
    assert sample.also == frozenset()


@pytest.mark.parametrize(
    ("labels", "line", "what", "remedy"),
    [
        ("a.py\tsort\n", 1, "kind 'sort'", "one of: correct, stretch, bug"),
        (HEADER + "a.py\n", 2, "1 columns", "write file, kind, bugs, also"),
        (HEADER + "a.py\tgood\t\t\n", 2, "kind 'good'", "one of: correct, stretch, bug"),
        (HEADER + "\nb.py\tcorrect\t\t\n", 3, "there is no 'b.py' here", "name a file"),
        (HEADER + "../a.py\tcorrect\t\t\n", 2, "there is no '../a.py' here", "name a file"),
        (HEADER + "a.py\tbug\tmissing_stop\t\n", 2, "'missing_stop'", "docs/bugs.md"),
        (HEADER + "a.py\tbug\t\tmissing_step\n", 2, "a bug sample without bugs", "mend"),
        (HEADER + "a.py\tcorrect\tmissing_step\t\n", 2, "a correct sample with bugs", "mend"),
        (HEADER + "a.py\tcorrect\t\t\t99-none\n", 2, "no assignment '99-none'", "known: 01-"),
        (HEADER + "a.py\tcorrect\na.py\tcorrect\n", 3, "a.py is there twice", "keep one row"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, labels: str, line: int, what: str, remedy: str
) -> None:
    home = folder(tmp_path, labels)
    with pytest.raises(InputError) as caught:
        of_folder(home, ROOT)
    said = str(caught.value)
    assert said.startswith(f"{home / 'labels.tsv'}:{line}: ")
    assert what in said
    assert remedy in said
    assert "\n" not in said


def test_a_folder_without_labels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"write a labels\.tsv there"):
        of_folder(tmp_path, ROOT)


@pytest.mark.parametrize(
    ("place", "text", "wanted"),
    [
        ("training_loop.py", "", "04-training-loop"),
        ("five_beats.ipynb", "", "05-five-beats"),
        ("05-five-beats.py", "", "05-five-beats"),
        ("04-training-loop/alice.py", "", "04-training-loop"),
        ("alice.py", FIVE, "05-five-beats"),
        ("alice.py", FIVE.replace("set_seed", "seed_all"), "05-five-beats"),
        ("alice.py", FIVE.replace("set_seed(s)", "set_seed(s, *more)"), "05-five-beats"),
        ("alice.py", "def evaluate(): ...\nclass MLP: ...\n", ""),
        ("alice.py", FIVE.replace("()", "(model, loader)"), ""),
        ("alice.py", "if True:\n    " + FIVE.replace("\n", "\n    "), ""),
        ("alice.py", "def broken(:\n", ""),
    ],
)
def test_which_assignment_a_file_answers(
    tmp_path: Path, place: str, text: str, wanted: str
) -> None:
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    assert answered(file, asked(ROOT)) == wanted


def test_the_column_wins_over_the_name(tmp_path: Path) -> None:
    labels = HEADER.strip() + "\tassignment\nfive_beats.py\tcorrect\t\t\t04-training-loop\n"
    (sample,) = of_folder(folder(tmp_path, labels, five_beats=""), ROOT)
    assert sample.assignment == "04-training-loop"


def test_without_inference_a_file_is_its_own_program(tmp_path: Path) -> None:
    labels = HEADER + "five_beats.py\tcorrect\t\t\n"
    (sample,) = of_folder(folder(tmp_path, labels, five_beats=""), ROOT, infer=False)
    assert sample.assignment == ""


def test_the_definitions_of_a_notebook_are_those_of_its_readable_cells(tmp_path: Path) -> None:
    cells = ["%matplotlib inline\nx = (", "class Net: ...\n", "def go():\n    def inner(): ...\n"]
    tree = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [
            {"cell_type": "code", "source": c, "metadata": {}, "outputs": [], "id": str(k)}
            for k, c in enumerate(cells)
        ],
    }
    file = tmp_path / "n.ipynb"
    file.write_text(json.dumps(tree))
    assert definitions(file) == {"Net": None, "go": range(1)}


def test_the_course_s_own_samples() -> None:
    samples = of_assignments(ROOT)
    assert {s.kind for s in samples} == {"correct", "bug"}
    assert all(s.kind == "bug" for s in samples if s.bugs)
    assert not [s for s in samples if s.name.startswith("hostile_")]
    assert {s.assignment for s in samples} >= {"04-training-loop", "05-five-beats"}


def test_every_file_of_the_corpus_has_its_row() -> None:
    home = ROOT / "tests" / "corpus"
    samples = of_folder(home, ROOT, infer=False)
    files = {p.relative_to(home).as_posix() for p in home.glob("*/*") if p.suffix != ".tsv"}
    assert {s.name for s in samples} == files
    assert all(s.name.startswith(f"{s.kind}/") for s in samples)
    for sample in samples:
        first = sample.path.stem.partition("__")[0]
        assert sample.kind != "bug" or first == "two" or sample.bugs == {first}
    assert sum(s.kind == "correct" for s in samples) >= 110
