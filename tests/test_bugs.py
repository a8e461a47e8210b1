"""The catalogue of bugs: whole, true where a machine can tell, and used by everybody."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import bugs
from autograder.bugs import BUGS, Bug, known
from autograder.checks.base import StandardCheck
from autograder.course import config, samples
from autograder.errors import GraderError
from autograder.watch.findings import Finding
from benchmarks.labels import of_folder

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENTS = {p.parent.name: p for p in sorted(ROOT.glob("assignments/*/assignment.yml"))}
NAMERS = sorted(
    [
        *(p for room in ("checks", "watch") for p in (ROOT / "autograder" / room).rglob("*.py")),
        *ROOT.glob("assignments/*/*.py"),
    ]
)
TAUGHT = [bug for bug in BUGS.values() if bug.taught]


def in_samples(assignment: str) -> set[str]:
    """The bugs that the samples of one assignment must be told to have."""
    rows = samples.expected(ROOT / "assignments" / assignment / "submissions")
    return {str(bug) for row in rows.values() for bug in row.get("bugs", [])}


def in_corpus() -> set[str]:
    return {bug for s in of_folder(ROOT / "tests" / "corpus", ROOT, infer=False) for bug in s.bugs}


def lacking(bug: Bug, there: set[str], corpus: set[str], found: set[str]) -> str:
    """What sample a bug still lacks, in words; "" where it lacks none.

    What an assignment teaches, one of its samples does wrong (`found`: the bugs in those); what an
    assignment will teach that is not `there` yet may wait for it; what none teaches is in the
    `corpus`.
    """
    if not bug.taught:
        return "" if bug.id in corpus else "no sample in tests/corpus"
    if bug.assignment not in there or bug.id in found:
        return ""
    return f"no sample in assignments/{bug.assignment}"


def named(path: Path) -> Iterator[tuple[int, str]]:
    """(line, id) of every bug that a module writes out where it names one."""
    for call in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else None
        name = call.func.id if isinstance(call.func, ast.Name) else name
        ids = {"Finding": call.args[:1], "failed": call.args[1:], "partial": call.args[2:]}
        values = [*ids.get(name or "", [])]
        values += [k.value for k in call.keywords if k.arg in ("bug", "bugs", "instead_of")]
        for node in values:
            for leaf in _values(node):
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                    yield leaf.lineno, leaf.value


def _values(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression may be, without what it is computed from."""
    if isinstance(node, ast.IfExp):
        yield from (*_values(node.body), *_values(node.orelse))
    elif isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            yield from _values(part)
    elif isinstance(node, ast.Starred):
        yield from _values(node.value)
    else:
        yield node


def test_the_page_is_fresh() -> None:
    made = "python -m autograder.bugs > docs/bugs.md"
    assert (ROOT / "docs" / "bugs.md").read_text(encoding="utf-8") == bugs.page(), made


@pytest.mark.parametrize("bug", BUGS.values(), ids=lambda b: b.id)
def test_a_record_is_whole(bug: Bug) -> None:
    assert bug.id.isidentifier() and bug.id == bug.id.lower()
    for text in (bug.meaning, bug.belief, bug.question, bug.help):
        assert text == " ".join(text.split()) != ""
        assert text.count("`") % 2 == 0
    assert bug.meaning.endswith(".") and bug.belief.endswith(".") and bug.question.endswith("?")


def test_no_id_stands_twice() -> None:
    assert len(BUGS) == len(bugs._ALL)


@pytest.mark.parametrize("bug", TAUGHT, ids=lambda b: b.id)
def test_it_is_taught_where_the_record_says(bug: Bug) -> None:
    """In a task of an assignment; one that is still to come takes nobody's number."""
    number = bug.assignment.partition("-")[0]
    if bug.assignment in ASSIGNMENTS:
        tasks = {c.task for c in config.assignment(ASSIGNMENTS[bug.assignment]).checks}
        assert bug.task in tasks
    else:
        assert number.isdigit() and bug.task > 0
    names = {*ASSIGNMENTS, *(b.assignment for b in TAUGHT)}
    assert {name for name in names if name.startswith(f"{number}-")} == {bug.assignment}


@pytest.fixture(scope="module")
def corpus() -> set[str]:
    return in_corpus()


@pytest.mark.parametrize("bug", BUGS.values(), ids=lambda b: b.id)
def test_it_has_a_sample(bug: Bug, corpus: set[str]) -> None:
    assert lacking(bug, set(ASSIGNMENTS), corpus, in_samples(bug.assignment)) == ""


def test_only_what_an_absent_assignment_teaches_may_wait_for_a_sample() -> None:
    def bug(taught: str) -> Bug:
        return Bug("wrong_thing", "", "", "", "", taught)

    coming, here, nowhere = bug("07-coming#1"), bug("04-here#1"), bug("")
    assert lacking(coming, {"04-here"}, set(), set()) == ""
    assert lacking(coming, {"07-coming"}, {"wrong_thing"}, set()) != ""
    assert lacking(here, {"04-here"}, {"wrong_thing"}, set()) != ""
    assert lacking(here, {"04-here"}, set(), {"wrong_thing"}) == ""
    assert lacking(nowhere, set(), set(), set()) != ""
    assert lacking(nowhere, set(), {"wrong_thing"}, set()) == ""


def test_every_id_is_used_or_its_assignment_is_to_come() -> None:
    words = {
        node.value
        for path in NAMERS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
    }
    stated = re.compile(r"\bbugs?: ([a-z_]+)")  # in an option of a check
    words |= {b for path in ASSIGNMENTS.values() for b in stated.findall(path.read_text())}
    idle = {b.id for b in BUGS.values() if b.id not in words}
    assert {i for i in idle if BUGS[i].assignment in {"", *ASSIGNMENTS}} == set()


@pytest.mark.parametrize("path", NAMERS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_id_that_is_written_out_is_known(path: Path) -> None:
    assert [(line, bug) for line, bug in named(path) if bug not in BUGS] == []


def test_the_walk_sees_where_bugs_are_named(tmp_path: Path) -> None:
    program = tmp_path / "judge.py"
    program.write_text(
        'Outcome.failed("said", "a" if x["no"] else "b")\n'
        'Outcome.partial(0.5, "said", *("c", "d"))\n'
        'Finding("e", "said", instead_of=("f",))\n'
        'StandardCheck("check", asks, says, "help", bugs=("g",))\n'
    )
    assert [bug for _, bug in named(program)] == ["a", "b", "c", "d", "e", "f", "g"]
    seen = {bug for path in NAMERS for _, bug in named(path)}
    assert len(seen) > len(BUGS) / 2  # the others are named by tables, and met when they are


def test_an_unknown_id_is_refused_with_a_remedy() -> None:
    known("missing_step", "lr_too_low")
    with pytest.raises(
        GraderError, match=r"no bug is called 'missing_stop' \(did you mean 'missing_step'"
    ):
        known("missing_step", "missing_stop")
    with pytest.raises(GraderError):
        StandardCheck("check", lambda ctx: {}, lambda ctx, evidence: None, "", ("missing_stop",))  # type: ignore[arg-type, return-value]
    for finding in (("missing_stop", ()), ("missing_step", ("missing_stop",))):
        with pytest.raises(GraderError):
            Finding(finding[0], "said", instead_of=finding[1])
