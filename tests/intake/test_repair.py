"""What is mended in a notebook, what is left alone, and what the record says of it.

Real notebooks are graded in test_mended.py; here only what will run is looked at.
"""

from __future__ import annotations

import builtins
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from autograder.intake.handout import handout
from autograder.intake.program import read_program
from autograder.intake.repair import MEND_CAP, QUIET, TESTED, Handout, Piece, mend
from tests.notebooks import MODULES, changes, raw, release, solved
from tests.samples import ROOT

GIVEN = Piece("import torch\nfrom torch import nn", cell_id="g")
NET = Piece("class Net(nn.Module):\n    raise NotImplementedError", "task1-net", role="solution")
TEST = Piece("assert Net()", "task1-net-public", role="test")
FIT = Piece("def fit():\n    raise NotImplementedError", "task2-fit", role="solution")
RUN = Piece("# Task 3. model\nraise NotImplementedError", "task3-run", role="solution")
DEMO = Piece("if __name__ == '__main__':\n    model.show()")
OUT = Handout((GIVEN, NET, TEST, FIT, RUN, DEMO))

DONE = [
    GIVEN,
    Piece("class Net(nn.Module):\n    depth = 2", "task1-net"),
    TEST,
    Piece("def fit():\n    return torch.ones(1)", "task2-fit"),
    Piece("# Task 3. model\nmodel = Net()\nfit()", "task3-run"),
    DEMO,
]


def texts(pieces: Sequence[Piece]) -> tuple[str, ...]:
    """What runs of these cells, where none of them is to be mended."""
    unclear = any(p.names.obscure for p in pieces) or sum(len(p.text) for p in pieces) > MEND_CAP
    return tuple(TESTED if p.text == TEST.text and not unclear else p.text for p in pieces)


def mended(*pieces: Piece) -> tuple[tuple[str, ...], list[str]]:
    cells, said = mend("x.ipynb", pieces, OUT)
    assert all(s.startswith("x.ipynb: ") and "\n" not in s for s in said)
    return cells, [s.removeprefix("x.ipynb: ") for s in said]


def bare(piece: Piece, *, text: str | None = None, code: bool = True) -> Piece:
    """The piece as a tool leaves it that knows no grade ids."""
    return Piece(piece.text if text is None else text, code=code)


def test_work_as_it_should_be_is_left_alone_and_nothing_is_said() -> None:
    assert mended(*DONE) == (texts(DONE), [])
    assert mended(*OUT.cells) == (texts(OUT.cells), []), "the handout itself, untouched"
    own = [*DONE[:2], Piece("1 / 0"), *DONE[2:]]
    assert mended(*own) == (texts(own), [])


def test_cells_without_ids_are_told_by_what_they_define() -> None:
    cells, said = mended(*(bare(p) for p in DONE))
    assert cells == texts(DONE)
    assert said == ["no grade ids are left in it; its cells were told by what they define"]
    moved = [bare(p) for p in (*DONE[:1], *DONE[4:], *DONE[1:4])]
    cells, said = mended(*moved)
    assert cells == texts(DONE) and "they ran in the handout's order" in said[-1]


@pytest.mark.parametrize(
    "instead",
    [[], [Piece("import torch", cell_id="g")], [Piece("import numpy")], [bare(GIVEN, code=False)]],
    ids=["lost", "a line lost", "replaced", "as text"],
)
def test_given_names_that_are_lacking_are_put_back_in_front(instead: list[Piece]) -> None:
    cells, said = mended(*instead, *DONE[1:])
    assert cells == texts([GIVEN, *(p for p in instead if p.code), *DONE[1:]])
    assert len(said) == 1 and "no cell binds nn" in said[0] and "put back in front" in said[0]


@pytest.mark.parametrize(
    "instead",
    [
        "import torch, torch.nn as nn",
        "from torch import *\nimport torch\nnn = torch.nn",
        GIVEN.text,
    ],
)
def test_what_the_student_binds_in_their_own_way_is_enough(instead: str) -> None:
    work = [Piece(instead), *DONE[1:]]
    assert mended(*work) == (texts(work), [])


def test_what_nobody_uses_is_not_missed() -> None:
    work = [Piece("class Net: depth = 2", "task1-net"), TEST, Piece("def fit(): 0", "task2-fit"),
            DONE[4], DEMO]  # fmt: skip
    assert mended(*work) == (texts(work), [])


def test_a_given_cell_that_stands_too_low_comes_in_front_as_well() -> None:
    cells, said = mended(*DONE[1:], GIVEN)
    assert cells == texts([GIVEN, *DONE[1:], GIVEN])
    assert "no cell binds nn in time" in said[0]


def test_a_given_cell_that_does_more_than_define_is_not_put_back() -> None:
    loud = Piece("import torch\ntorch.manual_seed(0)")
    out = Handout((loud, FIT))
    cells, said = mend("x.ipynb", [Piece("one = torch.ones(1)", "task2-fit")], out)
    assert cells == ("one = torch.ones(1)",)
    assert len(said) == 1 and "was not put back" in said[0]


def test_nothing_is_said_of_names_that_a_function_has_of_its_own() -> None:
    demo = Piece("for step in range(3):\n    print(step)")
    out = Handout((GIVEN, FIT, demo))
    work = [GIVEN, Piece("def fit(step):\n    return step", "task2-fit")]
    assert mend("x.ipynb", work, out) == (texts(work), ())


def test_nothing_is_said_of_the_order_of_a_notebook_of_ones_own() -> None:
    _, said = mended(*(bare(p) for p in (GIVEN, DONE[3], DONE[1], *DONE[4:])))
    assert said == ["no grade ids are left in it; its cells were told by what they define"]


def test_an_untouched_stub_below_the_work_is_left_out_and_only_that() -> None:
    cells, said = mended(*DONE, NET, FIT, RUN)
    assert cells == texts(DONE)
    what = "task1-net, task2-fit, task3-run"
    assert said == [
        f"untouched copies of the handout's cells below the work ({what}) were left out"
    ]
    above = [GIVEN, NET, *DONE[1:]]
    assert mended(*above)[0] == texts(above), "a stub above is overridden by the work anyway"
    unsolved = [*DONE[:3], FIT, FIT, *DONE[4:]]
    assert mended(*unsolved)[0] == texts(unsolved), "no work, so nothing to save"
    begun = Piece("def fit():\n    pass", "task2-fit")
    assert mended(*DONE, begun)[0] == texts([*DONE, begun]), "a student's own text always runs"


def test_copies_all_run_and_the_last_one_counts() -> None:
    again = Piece("def fit():\n    return 2", "task2-fit")
    cells, said = mended(*DONE[:4], again, *DONE[4:])
    assert cells == texts([*DONE[:4], again, *DONE[4:]])
    assert said == [
        "copied or split cells (task2-fit); all of them ran, and what comes last counts"
    ]


def test_work_that_became_text_is_code_again() -> None:
    text = Piece(DONE[3].text, "task2-fit", code=False)
    cells, said = mended(*DONE[:3], text, *DONE[4:])
    assert cells == texts(DONE) and said == ["task2-fit had become a cell of text; it ran as code"]


@pytest.mark.parametrize(
    "text", ["I did not know how.", "x = 1", FIT.text.replace("fit", "other")], ids=range(3)
)
def test_text_that_is_not_the_work_stays_text(text: str) -> None:
    cells, _ = mended(*DONE[:3], Piece(text, "task2-fit", code=False), *DONE[4:])
    assert cells == texts([*DONE[:3], *DONE[4:]])


def test_text_stays_text_where_other_code_does_its_work() -> None:
    old = Piece("def fit():\n    return 'an older try'", "task2-fit", code=False)
    cells, _ = mended(*DONE[:3], old, bare(DONE[3]), *DONE[4:])
    assert cells == texts(DONE)


def test_cells_that_can_run_as_they_stand_are_not_moved() -> None:
    work = [GIVEN, DONE[3], DONE[1], TEST, *DONE[4:]]
    cells, said = mended(*work)
    assert cells == texts(work)
    assert said == ["its cells are not in the handout's order; they ran as they stand"]


def test_cells_that_cannot_are_put_in_the_handouts_order_with_what_follows_them() -> None:
    own = Piece("print(model)")
    cells, said = mended(GIVEN, DONE[4], own, *DONE[1:4], DEMO)
    assert cells == texts([*DONE[:5], own, DEMO])
    assert said == [
        "its cells looked up Net, fit before a cell had bound it; they ran in the handout's order"
    ]


@pytest.mark.parametrize(
    "own",
    ["from helpers import *", "exec(open('a.py').read())", "%run a.py"],
)
def test_order_is_left_alone_where_names_may_come_from_elsewhere(own: str) -> None:
    work = [GIVEN, Piece(own), DONE[4], *DONE[1:4], DEMO]
    cells, said = mended(*work)
    assert cells == texts(work) and "they ran as they stand" in said[-1]


def test_order_is_left_alone_where_the_handouts_would_not_run_either() -> None:
    lost = Piece("def fit():\n    return 1\ngone.append(1)", "task2-fit")
    last = Piece("gone = []")
    work = [GIVEN, lost, DONE[1], TEST, DONE[4], last]
    assert mended(*work)[0] == texts(work)


def test_a_test_above_its_task_is_no_reason_to_move_anything() -> None:
    work = [GIVEN, TEST, DONE[1], *DONE[3:]]
    assert mended(*work)[0] == texts(work)


def test_a_test_cell_runs_only_where_something_rests_on_what_it_binds() -> None:
    test = Piece("import math\nnet = Net()\nassert net", "task1-net-public", role="test")
    given = Handout((*OUT.cells[:2], test, *OUT.cells[3:]))

    def ran(*own: Piece) -> bool:
        cells, _ = mend("x.ipynb", [*DONE[:2], *own], given)
        return test.text in cells

    assert not ran(test, *DONE[3:])
    assert not ran(Piece("net = Net()"), test, Piece("net.depth")), "its net is not the student's"
    assert ran(test, Piece("math.pi"))
    assert ran(test, Piece("def f():\n    return math.pi"))
    assert not ran(Piece("import math"), test, Piece("math.pi"))
    assert ran(test, Piece("exec('math.pi')")), "nobody can tell what it uses"
    edited = replace(test, text=test.text + "\nprint(net)")
    cells, said = mend("x.ipynb", [*DONE[:2], edited], given)
    assert edited.text in cells and any("were edited" in s for s in said)


def test_a_guarded_or_deferred_name_is_no_reason_to_move_anything() -> None:
    own = "if 'model' in dir():\n    del model\ndef show(): return model\nmax(1, 2)"
    work = [*DONE[:2], DONE[3], TEST, Piece(own), Piece("max = 3"), DONE[4]]
    assert "max" in dir(builtins)
    assert mended(*work)[0] == texts(work)


def test_edited_and_missing_cells_are_told_and_left() -> None:
    work = [*DONE[:2], Piece("assert True", "task1-net-public"), DONE[4], DEMO]
    cells, said = mended(*work)
    assert cells == texts(work)
    assert said == [
        "cells of the handout are missing (task2-fit)",
        "test cells were edited (task1-net-public); they ran so, and no points rest on them",
    ]


def test_merged_cells_are_not_missing() -> None:
    work = [*DONE[:2], TEST, Piece(f"{DONE[3].text}\n{DONE[4].text}", "task3-run"), DEMO]
    assert mended(*work) == (texts(work), [])


def test_too_much_code_to_compare_runs_as_it_stands() -> None:
    huge = Piece("# " + "x" * MEND_CAP)
    cells, said = mended(*DONE[1:], huge)
    assert cells == texts([*DONE[1:], huge])
    assert len(said) == 1 and "were not compared with the handout" in said[0]


def test_odd_ids_do_no_harm() -> None:
    odd = [Piece("a = 1", i) for i in ("task1-net", "<b>", "\u202e", "x" * 256, "task1-net")]
    cells, said = mended(*odd)
    assert cells == ("a = 1",) * 5
    assert all("\u202e" not in s and len(s) < 400 for s in said)


# -- the real releases ---------------------------------------------------------------------------

MENDED = {  # what makes it run as the untouched notebook does, to the letter
    "ran", "cleared", "without_cell_ids", "without_grade_ids", "vscode", "jupytext", "format_3",
    "imports_lost", "imports_as_text", "as_text", "stubs_below",
}  # fmt: skip
SAID = {
    "without_grade_ids": "no grade ids are left",
    "colab_bare": "no grade ids are left",
    "vscode": "no grade ids are left",
    "format_3": "notebook format 3",
    "imports_lost": "put back in front",
    "imports_cut": "put back in front",
    "imports_as_text": "put back in front",
    "imports_last": "not in the handout's order",
    "tests_lost": "cells of the handout are missing",
    "tests_edited": "test cells were edited",
    "split": "copied or split cells",
    "as_text": "had become a cell of text",
    "backwards": "handout's order",
    "last_first": "handout's order",
    "merged": "no grade ids are left",
    "stubs_below": "untouched copies",
}


@pytest.mark.parametrize("assignment", MODULES)
def test_what_becomes_of_the_real_notebooks(assignment: str) -> None:
    given = handout(ROOT, assignment, MODULES[assignment])
    assert given is not None

    def read(change: Callable[[Any], Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        program, said = read_program("x.ipynb", raw(change(solved(assignment))), given)
        return program.cells, said

    whole, said = read(lambda book: book)
    assert said == ()
    for name, change in changes(assignment).items():
        cells, said = read(change)
        assert (cells == whole) or name not in MENDED, name
        if name in SAID:
            assert any(SAID[name] in s for s in said), (name, said)
        elif name != "doubled":
            assert said == (), (name, said)


@pytest.mark.parametrize("assignment", MODULES)
def test_the_untouched_release_needs_no_mending(assignment: str) -> None:
    given = handout(ROOT, assignment, MODULES[assignment])
    _, said = read_program("x.ipynb", raw(release(assignment)), given)
    assert said == ()


def test_no_sample_notebook_is_said_to_lack_what_it_binds() -> None:
    """The samples run as they stand, so a line that calls a name unbound would be false."""
    seen = 0
    for name, module in MODULES.items():
        given = handout(ROOT, name, module)
        for path in sorted((ROOT / "assignments" / name / "submissions").glob("[bc]*_*/*.ipynb")):
            _, notes = read_program(path.name, path.read_bytes(), given)
            assert not [n for n in notes if "no cell binds" in n or "looked up" in n], path
            seen += 1
    assert seen > 20


@pytest.mark.parametrize("name", MODULES)
def test_test_cells_of_an_older_handout_are_still_the_handouts(name: str) -> None:
    """Before public tests put stderr aside, they were the same without it."""
    book = solved(name)
    for cell in book["cells"]:
        text = "".join(cell["source"])
        if QUIET in text:
            head, _, body = text.partition(QUIET)
            cell["source"] = head + textwrap.dedent(body)
    assert raw(book) != raw(solved(name))
    given, file = handout(ROOT, name, MODULES[name]), f"{MODULES[name]}.ipynb"
    new, said = read_program(file, raw(solved(name)), given)
    old, said_of_old = read_program(file, raw(book), given)
    assert said == said_of_old == ()
    assert [Piece(c).bare for c in old.cells] == [Piece(c).bare for c in new.cells]
    assert TESTED in old.cells
