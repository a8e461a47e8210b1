"""What an assignment brings along: checks.py, public_checks.py, probes.py; and the answers of the
reference where a grader travels without the source.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.authoring import gate, scaffold
from autograder.checks import own
from autograder.course import config
from autograder.errors import ConfigError, GraderError
from autograder.grading import expected
from autograder.grading.grader import Grader
from autograder.model import Program, Result, Submission
from tests.own_checks import Lab, outline

CHECKS = """
    from autograder.checks import Context, Evidence, Later, Option, Outcome, check, probe, require
    from .words import WORDS

    @check(
        main=lambda ctx: probe("twice", {"by": ctx.option("by")}),
        more=lambda ctx: probe("broken"),
        options=(Option("by", int, "the factor", 2),),
    )
    def doubled(ctx: Context, main: Evidence, more: Later) -> Outcome:
        said = require(main).data["value"]
        if said == 7 * ctx.option("by"):
            return Outcome.passed()
        return Outcome.failed(WORDS[require(more()).status], "wrong_value")
"""
PROBES = """
    from ..program import Program

    def twice(program, args, tensors):
        return {"value": program.get("f")(7, args["by"])}, {}

    def broken(program, args, tensors):
        return {"value": 0}, {}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path, checks=CHECKS, probes=PROBES, words='WORDS = {"done": "not doubled"}\n')


def test_an_own_check_asks_its_own_probe_with_its_options(lab: Lab) -> None:
    program = "def f(x, by):\n    return x * by\n"
    assert outline(lab.one(program, {"use": "doubled"})) == ("passed", [])
    assert outline(lab.one(program, {"use": "doubled", "with": {"by": 3}})) == ("passed", [])
    found = lab.one("def f(x, by):\n    return x\n", {"use": "doubled"})
    assert outline(found) == ("failed", ["wrong_value"]) and found.message == "not doubled"
    missing = lab.one("g = 1\n", {"use": "doubled"})
    assert outline(missing) == ("failed", ["missing_name"])


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"use": "double"}, "did you mean 'doubled'"),
        ({"use": "doubled", "ask": "it"}, "asks one thing only"),
        ({"use": "training"}, "without a question"),
        ({"use": "training", "ask": "beat"}, "did you mean 'beats'"),
        ({"use": "doubled", "with": {"bye": 3}}, "did you mean 'by'"),
        ({"use": "doubled", "with": {"by": "x"}}, "a whole number"),
        ({"use": "doubled", "visibility": "public"}, "move it to public_checks.py"),
        ({"use": "doubled", "needs": ["c"]}, "did you mean"),
    ],
)
def test_mistakes_in_an_assignment_get_one_line(
    lab: Lab, check: dict[str, object], said: str
) -> None:
    first = {"id": "cc", "use": "doubled"}
    with pytest.raises(ConfigError) as caught:
        lab.assignment(first, {"id": "c1", **check})
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("checks", "def f(:\n", "checks.py:1: is not Python"),
        ("checks", "\nimport nothing_of_this_name\n", "checks.py:2: cannot be imported"),
        ("checks", "from .absent import x\n", "checks.py:1: cannot be imported"),
        ("words", "\n\nWORDS = 1 / 0\n", "words.py:3: cannot be imported: ZeroDivisionError"),
        ("probes", "def twice(:\n", "probes.py:1: is not Python"),
        (
            "checks",
            "from autograder.checks import check\ndoubled = check(bugs=('wrong_valve',))(len)\n",
            "did you mean 'wrong_value'",
        ),
        (
            "checks",
            "from autograder.checks import check\n@check(main=None)\ndef doubled(ctx):\n    pass\n",
            "takes the evidence ()",
        ),
    ],
)
def test_mistakes_in_its_python_get_file_and_line(
    lab: Lab, name: str, text: str, said: str
) -> None:
    (lab.folder / f"{name}.py").write_text(text)
    with pytest.raises(ConfigError) as caught:
        lab.one("f = 1\n", {"use": "doubled"})
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_probe_that_is_not_there_is_no_students_fault(lab: Lab) -> None:
    (lab.folder / "probes.py").write_text("def other(program, args, tensors): ...\n")
    found = lab.one("def f(x, by):\n    return x * by\n", {"use": "doubled"})
    assert found.status == "ungradable" and "twice" in found.message


def test_the_release_takes_what_public_checks_import_and_no_more(tmp_path: Path) -> None:
    Lab(tmp_path, checks="from .words import W\n", words="W = 1\n", probes="def p(): ...\n")
    assert own.released(tmp_path) == {}
    (tmp_path / "public_checks.py").write_text("from .shared import S\n")
    (tmp_path / "shared.py").write_text("from . import deeper\n")
    (tmp_path / "deeper.py").write_text("S = 2\n")
    assert sorted(own.released(tmp_path)) == [
        "deeper.py",
        "probes.py",
        "public_checks.py",
        "shared.py",
    ]


def test_what_a_machine_lacks_is_deferred(lab: Lab) -> None:
    from dataclasses import replace

    from autograder.checks.judge import World, judge, missing
    from autograder.model import LoadReport

    spec = lab.assignment({"use": "doubled", "requires": ["cuda", "no_such_module"]})
    lacks = missing(spec, "cpu", lambda name: name != "no_such_module")
    assert lacks == {"cuda", "no_such_module"}
    world = replace(World(spec), lacks=lacks)
    (found,) = judge(world, LoadReport("done"), lambda request: pytest.fail("was asked"))
    assert found.status == "deferred" and "no_such_module" in found.message


# --- a new assignment, and a grader that travels --------------------------------------------------

NAME = "11-first-steps"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    scaffold.create(tmp_path, NAME, "functions")
    return tmp_path


def graded(grader: Grader, root: Path) -> Result:
    text = (
        root / "assignments" / NAME / "submissions" / "correct_plain" / "first_steps.py"
    ).read_text()
    return grader.grade(
        Submission("ada", NAME, Program("script", "first_steps.py", (text,)), {})
    ).result


def test_a_grader_without_the_source_takes_the_answers_along(course: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    with Grader(course, "none", cache=tmp_path / "one") as grader:
        here = graded(grader, course)
        files = expected.carried(grader.world(NAME))
        kept = grader.own_digest(grader.assignment(NAME))
    assert here.score == here.max_score == 10 and files
    hidden = away / "assignments" / NAME
    shutil.copytree(course / "assignments" / NAME, hidden)
    shutil.copy(course / "grading_config.yml", away)
    config.assignment.cache_clear()
    with Grader(away, "none", cache=tmp_path / "two") as grader:
        without = graded(grader, away)
        assert without.status == "ungradable" and "package the assignment anew" in without.notes[0]
    for name, raw in files.items():
        (hidden / name).parent.mkdir(exist_ok=True)
        (hidden / name).write_bytes(raw)
    with Grader(away, "none", cache=tmp_path / "three") as grader:
        assert graded(grader, away).checks == here.checks
        assert grader.own_digest(grader.assignment(NAME)) != kept


TRUSTING = """

from autograder.checks.base import check, probe
from autograder.model import Outcome


def secret(ctx):
    return probe("square", {"number": int(ctx.rng("x").integers(2**31))})


@check(main=secret)
def trusts(ctx, main):
    return Outcome.passed() if 6 / main.data["value"] == 6 else Outcome.failed("not one")


@check(main=secret)
def breaks(ctx, main):
    raise ZeroDivisionError("our own")
"""
SQUARE = """
import torch


def square(program, args, tensors):
    return {"value": program.get("mean_square")(torch.ones(3), torch.zeros(3)).tolist()}, {}
"""


def test_whose_fault_a_judge_is_that_raises_is_known_without_the_source(
    course: Path, tmp_path: Path
) -> None:
    home, away = course / "assignments" / NAME, tmp_path / "away"
    with (home / "checks.py").open("a", encoding="utf-8") as f:
        f.write(TRUSTING)
    (home / "probes.py").write_text(SQUARE)
    with (home / "assignment.yml").open("a", encoding="utf-8") as f:
        f.write("  - {id: trusted, use: trusts, title: trusted, task: 1, points: 1}\n")
    config.assignment.cache_clear()

    def given(grader: Grader, text: str) -> Result:
        program = Program("script", "first_steps.py", (text,))
        return grader.grade(Submission("eve", NAME, program, {})).result

    right = (home / "submissions" / "correct_plain" / "first_steps.py").read_text()
    odd = right + "\n\ndef mean_square(pred, target):\n    return (pred - target) ** 2\n"
    with Grader(course, "none", cache=tmp_path / "one") as grader:
        here = given(grader, odd)
        files = expected.carried(grader.world(NAME))
    cost = next(c for c in here.checks if c.id == "trusted")
    assert (here.status, cost.status) == ("graded", "error") and "TypeError" in cost.flag
    shutil.copytree(home, away / "assignments" / NAME)
    shutil.copy(course / "grading_config.yml", away)
    for name, raw in files.items():
        (away / "assignments" / NAME / name).parent.mkdir(exist_ok=True)
        (away / "assignments" / NAME / name).write_bytes(raw)
    config.assignment.cache_clear()
    with Grader(away, "none", cache=tmp_path / "two") as grader:
        assert given(grader, odd).checks == here.checks
        assert given(grader, right).score == 11
    yml = away / "assignments" / NAME / "assignment.yml"
    yml.write_text(yml.read_text().replace("use: trusts", "use: breaks"))
    config.assignment.cache_clear()
    with Grader(away, "none", cache=tmp_path / "three") as grader:
        assert given(grader, odd).status == "ungradable"


def test_another_solution_gives_other_answers(course: Path, tmp_path: Path) -> None:
    source = course / "source" / NAME / "first_steps.py"
    with Grader(course, "none", cache=tmp_path / "cache") as grader:
        assert graded(grader, course).score == 10
        before = grader.own_digest(grader.assignment(NAME))
    source.write_text(source.read_text().replace("** 2).mean()", "** 2).sum()"))
    with Grader(course, "none", cache=tmp_path / "cache") as grader:
        assert graded(grader, course).score == 8
        assert grader.own_digest(grader.assignment(NAME)) != before
    source.write_text(source.read_text().replace("def mean_square", "def another"))
    with Grader(course, "none", cache=tmp_path / "cache") as grader:
        lost = graded(grader, course)
        assert lost.status == "ungradable" and "reference" in lost.notes[0]


@pytest.mark.parametrize("kind", scaffold.KINDS)
def test_each_kind_of_a_new_assignment_can_be_released(tmp_path: Path, kind: str) -> None:
    scaffold.create(tmp_path, "03-new-one", kind)
    config.assignment.cache_clear()
    assert gate.quick(tmp_path, "03-new-one") == []
    made = config.assignment(tmp_path / "assignments" / "03-new-one" / "assignment.yml")
    assert len(made.secret) == 32


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("kind", scaffold.KINDS)
def test_each_kind_of_a_new_assignment_passes_the_gate(tmp_path: Path, kind: str) -> None:
    scaffold.create(tmp_path, "03-new-one", kind)
    config.assignment.cache_clear()
    with Grader(tmp_path, cache=tmp_path / "cache") as grader:
        assert gate.in_boxes(grader, tmp_path, "03-new-one") == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("assignments: []\n", "assignments: [9-b]\n"),
        ("assignments: [a, b]  # two\n", "assignments: [a, b, 9-b]  # two\n"),
        (
            "assignments:\n  - a  # first\n  - b\ndue: {}\n",
            "assignments:\n  - a  # first\n  - b\n  - 9-b\ndue: {}\n",
        ),
    ],
)
def test_a_new_assignment_is_listed_and_comments_stay(
    tmp_path: Path, before: str, after: str
) -> None:
    settings = tmp_path / "grading_config.yml"
    settings.write_text(f"# ours\ncourse: C\n{before}")
    scaffold.create(tmp_path, "9-b", "script")
    assert settings.read_text() == f"# ours\ncourse: C\n{after}"


def test_a_new_assignment_writes_over_nothing(course: Path) -> None:
    before = {p: p.read_bytes() for p in course.rglob("*") if p.is_file()}
    for name, kind, said in (
        (NAME, "functions", "there already"),
        ("Eleven", "functions", "no id"),
        ("12-x", "script_", "did you mean 'script'"),
    ):
        with pytest.raises(Exception, match=said):
            scaffold.create(course, name, kind)
    assert {p: p.read_bytes() for p in course.rglob("*") if p.is_file()} == before


def test_names_of_programs() -> None:
    found = [scaffold.module_of(n) for n in ("11-first-steps", "07-7", "a", "x_y-2")]
    assert found == ["first_steps", "assignment_07_7", "a", "x_y_2"]
    assert issubclass(GraderError, Exception)
