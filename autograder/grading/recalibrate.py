"""`autograder calibrate`: measure the reference on this machine's data, and commit what was found.

The measurement itself is `calibration.measure`; here it is put into
`assignments/<id>/calibration.yml`, by the key under which the grader will look for it.

A threshold is only as good as what lies on its two sides. So the assignment's correct samples are
trained, too, and its wrong programs (`course.wrong`); these are then graded as a student's, to see
which other check names what accuracy cannot tell.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from ..authoring.master import given_files, reference
from ..checks.accuracy import MARGIN
from ..checks.base import Calibration, HiddenData
from ..checks.judge import World, check_of
from ..course import samples
from ..course.config import Assignment
from ..course.images import Prepared
from ..course.wrong import wrong_programs
from ..errors import ConfigError, InputError
from ..intake.collect import collect
from ..model import Program, Status, Submission
from ..results.files import write_whole
from .calibration import measure, trained
from .grader import Grader

HEADER = (
    "# Accuracies of the reference solution on hidden images, by data root, version and device;\n"
    "# beside them those of correct samples and of wrong programs, and which checks name these.\n"
    "# Written by `autograder calibrate`; thresholds follow from these (see calibration.py).\n"
)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
NAMED = {Status.FAILED, Status.PARTIAL, Status.ERROR, Status.TIMEOUT, Status.MEMORY}


@dataclass(frozen=True)
class Row:
    """What became of one program beside the reference.

    `accuracies` are shares in [0, 1], and in the place of one the reason why there is none.
    `named`: the bugs that each check names which takes points off it, but for that of accuracy.
    """

    name: str
    kind: Literal["correct", "wrong"]
    says: str
    accuracies: tuple[float | str, ...]
    named: Mapping[str, tuple[str, ...]]

    @property
    def numbers(self) -> tuple[float, ...]:
        return tuple(a for a in self.accuracies if isinstance(a, float))

    @property
    def by(self) -> str:
        """Who names it, in words."""
        told = [f"{c} ({', '.join(b)})" if b else c for c, b in self.named.items()]
        return ", ".join(told) or "nothing"


@dataclass(frozen=True)
class Calibrated:
    """A calibration, where it was written, and what lies on both sides of its threshold."""

    path: Path
    key: str
    dataset: str
    found: Calibration
    rows: tuple[Row, ...] = ()

    @property
    def mean(self) -> float:
        return statistics.fmean(self.found.accuracies)

    @property
    def deviation(self) -> float:
        """The sample deviation of the reference's accuracies."""
        return statistics.stdev(self.found.accuracies)

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Those of `QUANTILES`, each one of the accuracies: of n, that with the rank q * n."""
        ranked = sorted(self.found.accuracies)
        return tuple(ranked[min(int(q * len(ranked)), len(ranked) - 1)] for q in QUANTILES)

    def warnings(self) -> list[str]:
        """What the threshold cannot do, each in one line."""
        bar, told = self.found.threshold, []
        for row in self.rows:
            best = max(row.numbers, default=0.0)
            if row.kind == "wrong" and best >= bar:
                what = f"accuracy cannot tell '{row.name}' ({row.says}): it reaches {best:.1%}"
                told.append(f"{what}; {_who(row)}")
            elif row.kind == "wrong" and not row.named:
                told.append(f"only accuracy tells '{row.name}' ({row.says}): nothing names it")
            elif row.kind == "correct" and len(row.numbers) < len(row.accuracies):
                why = next(a for a in row.accuracies if isinstance(a, str))
                told.append(f"the accuracy of {row.name} is not known: {why}")
            elif row.kind == "correct" and self._left(row) > MARGIN:
                what = f"{row.name} is right, and lies {self._left(row):.4f} below the reference"
                told.append(f"{what}, more than the {MARGIN} that are granted")
        return told

    def _left(self, row: Row) -> float:
        """How far a program's mean lies below the reference's."""
        return self.mean - statistics.fmean(row.numbers)


def _who(row: Row) -> str:
    """Who names what accuracy cannot tell."""
    if not row.named:
        return "nothing names it, so it gets full marks"
    return f"{row.by} name{'s' * (len(row.named) == 1)} it"


def recalibrate(
    grader: Grader,
    name: str,
    seeds: int,
    others: int = 0,
    *,
    date: str = "",
    jobs: int = 1,
    tell: Callable[[str], None] = lambda line: None,
) -> Calibrated:
    """Measure `seeds` runs of the reference and commit them; then `others` runs of each correct
    sample and of each wrong program, and commit these beside them.

    `date` is written down with it; `tell` hears what is being trained. Raises `InputError` for an
    assignment without a check of accuracy, `ConfigError` for a wrong.yml that does not fit the
    reference, `GraderError` where the reference fails.
    """
    assignment = grader.assignment(name)
    prepared = grader.prepared(assignment)
    measured = [c.id for c in assignment.checks if check_of(assignment, c).calibrated]
    if prepared is None or not measured:
        raise InputError(f"'{name}' has no check of accuracy to calibrate")
    programs = _others(grader.root, assignment) if others else []
    world = World(assignment, _hidden(prepared), device=grader.device)
    limits = grader.limits(assignment)
    path = grader.root / "assignments" / name / "calibration.yml"
    key = f"{prepared.fingerprint}-v{assignment.version}-{grader.device}"
    given = given_files(grader.root / "source" / name)
    rows = []
    # one pool for all of it: the boxes' room ends with the thread that has opened it
    with ThreadPoolExecutor(max(1, jobs), thread_name_prefix="calibrate") as pool:
        tell(f"the reference, {seeds} times")
        boxes = (grader.sandbox, limits, prepared.root)
        found = measure(world, grader.root, *boxes, seeds, pool.map)
        made = Calibrated(path, key, prepared.dataset, found)
        _commit(made, date)  # the grader finds it there, where it grades wrong programs
        judged = {
            one.student: pool.submit(_named, grader, one, measured)
            for kind, _, one in programs
            if kind == "wrong"
        }
        for kind, says, one in programs:
            tell(f"{one.student}, {others} times")
            files = {**one.files, **given}
            reached = trained(world, one.program, files, *boxes, others, pool.map)
            told = tuple(round(a, 4) if isinstance(a, float) else a for a in reached)
            named = judged[one.student].result() if kind == "wrong" else {}
            rows.append(Row(one.student, kind, says, told, named))
    made = Calibrated(path, key, prepared.dataset, found, tuple(rows))
    _commit(made, date)
    return made


def _hidden(prepared: Prepared) -> HiddenData:
    return HiddenData(
        prepared.dataset, prepared.fingerprint, prepared.hidden_images, prepared.hidden_labels
    )


def _others(
    root: Path, assignment: Assignment
) -> list[tuple[Literal["correct", "wrong"], str, Submission]]:
    """Correct samples and wrong programs of an assignment, each with what is to be said of it."""
    folder = root / "assignments" / assignment.id
    solution = reference(root / "source" / assignment.id, assignment, "script")
    found: list[tuple[Literal["correct", "wrong"], str, Submission]] = []
    for sample in samples.folders(folder / "submissions"):
        if sample.name.startswith("correct_"):
            taken, _ = collect([sample], assignment.id, {assignment.id: assignment.module})
            found += [("correct", "a correct sample", one) for one in taken]
    for name, (says, text) in wrong_programs(folder, solution.cells[0]).items():
        program = Program("script", solution.main, (text,))
        found.append(("wrong", says, Submission(name, assignment.id, program, {})))
    return found


def _named(
    grader: Grader, submission: Submission, measured: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """The bugs that each check names which takes points off a program, but for `measured`."""
    checks = grader.grade(submission).result.checks
    return {c.id: c.bugs for c in checks if c.id not in measured and c.status in NAMED}


def carried(grader: Grader, name: str) -> bytes:
    """A calibration.yml that holds what is committed, and what holds for this machine's data.

    For a grader that travels without the source, and so cannot measure for itself. Raises
    `GraderError` where the reference, which may have to run for this, fails.
    """
    assignment = grader.assignment(name)
    table = _read(grader.root / "assignments" / name / "calibration.yml")
    world = grader.world(name)
    if world.calibration is not None and world.hidden is not None:
        key = f"{world.hidden.fingerprint}-v{assignment.version}-{grader.device}"
        accuracies = list(world.calibration.accuracies)
        table.setdefault(key, {"dataset": world.hidden.dataset, "accuracies": accuracies})
    return _dump(table)


def _commit(made: Calibrated, date: str) -> None:
    row: dict[str, object] = {
        "dataset": made.dataset,
        "accuracies": list(made.found.accuracies),
        "measured": {**made.found.measured, **({"date": date} if date else {})},
    }
    for kind in ("correct", "wrong"):
        found = {r.name: _told(r) for r in made.rows if r.kind == kind}
        if found:
            row[kind] = found
    table = _read(made.path)
    table[made.key] = row
    write_whole(made.path, _dump(table))


def _told(row: Row) -> dict[str, object]:
    told: dict[str, object] = {"accuracies": list(row.accuracies)}
    if row.kind == "wrong":
        told["named"] = {check: list(bugs) for check, bugs in row.named.items()}
    return told


def _dump(table: dict[str, object]) -> bytes:
    text = yaml.safe_dump(table, sort_keys=True, default_flow_style=None, width=100)
    return (HEADER + text).encode()


def _read(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as e:
        raise ConfigError("is not valid YAML", where=path, remedy="mend or remove it") from e
    if not isinstance(table, dict):
        raise ConfigError("must be a mapping", where=path, remedy="mend or remove it")
    return table
