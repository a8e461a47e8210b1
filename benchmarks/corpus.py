"""Every sample there is, put to the judges: per bug found, named right, missed; false accusations.

    python -m benchmarks.corpus [DIR...] [--jobs N] [--only WHAT] [--fast] [--alone] [--json]

    assignments/*/submissions   graded, each as its folder and expected.yml say (hostile_* left out)
    tests/corpus                scripts, watched, as labels.tsv says
    DIR with a labels.tsv       more of either kind

Theory. A label says which bug ids a program has; what is named and neither expected nor
acceptable is a false accusation, whatever program it is said of. An acceptable id stands for
one expected id that was not named. A finding that is only a note accuses nobody, but counts
as found where it is expected. `benchmarks.labels` reads the samples.

Exit status: 0 when nothing is missed and nobody accused, 1 otherwise, 2 for wrong use. What a
`stretch` file hides may be missed; accusing it falsely is as wrong as anywhere else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.course.samples import KEPT
from autograder.errors import FiveBeatsError, InputError
from autograder.grading.grader import Grader
from autograder.intake.collect import collect
from autograder.model import Result
from autograder.text import clean
from autograder.watch.watcher import Watched, Watcher

from .labels import Sample, of_assignments, of_folder

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / "tests" / "corpus"
SECONDS = 60.0
"""The wall time that one watched script gets."""
FAST_EVERY = 5
Judge = Callable[[Sample], "Seen"]


@dataclass(frozen=True)
class Seen:
    """What was said of one sample: bugs and notes, id -> message.

    `failed` says why nothing could be seen; `faults` are the recorder's own, of which the
    program took no harm.
    """

    bugs: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    failed: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """A sample beside what was said of it."""

    sample: Sample
    seen: Seen

    @property
    def missed(self) -> tuple[str, ...]:
        """Expected ids that were not named, less one for each acceptable id that was."""
        said = {**self.seen.bugs, **self.seen.notes}
        absent = sorted(self.sample.bugs - said.keys())
        return tuple(absent[len((self.sample.also - self.sample.bugs) & said.keys()) :])

    @property
    def false(self) -> tuple[str, ...]:
        """Ids named that are neither expected nor acceptable."""
        return tuple(sorted(self.seen.bugs.keys() - self.sample.bugs - self.sample.also))

    @property
    def spoken(self) -> bool:
        """Whether anything at all was said."""
        return bool(self.seen.bugs or self.seen.notes)

    @property
    def bad(self) -> bool:
        """Whether this makes the whole fail."""
        missed = bool(self.missed) and self.sample.kind != "stretch"
        return missed or bool(self.false) or bool(self.seen.failed)

    def as_json(self) -> dict[str, Any]:
        """The row as plain data."""
        s = self.sample
        return {
            "file": s.name,
            "kind": s.kind,
            "assignment": s.assignment,
            "expected": sorted(s.bugs),
            "acceptable": sorted(s.also),
            "bugs": self.seen.bugs,
            "notes": self.seen.notes,
            "missed": list(self.missed),
            "false": list(self.false),
            "failed": self.seen.failed,
            "faults": list(self.seen.faults),
        }


def watched(seen: Watched, *, correct: bool) -> Seen:
    """What `watch` said. A correct program that raises in the box was not seen as it is."""
    said: dict[str, dict[str, str]] = {"bug": {}, "note": {}}
    for f in seen.findings:
        place = "" if f.line is None else f"{f.file} line {f.line}: ".lstrip()
        said[f.kind][f.bug] = place + f.message
    failed = seen.failed
    if correct and not failed and seen.errors:
        error = seen.errors[0]
        failed = f"raised in the box: {error['type']}: {error['message']}"
    return Seen(said["bug"], said["note"], failed, seen.faults)


def graded(result: Result, *, correct: bool) -> Seen:
    """What a grade said: a bug on a check of no points is a note; a correct program's lost
    points are an accusation also where no id goes with them.
    """
    if result.status != "graded":
        return Seen(failed="; ".join(result.notes) or "ungradable")
    bugs: dict[str, str] = {}
    notes: dict[str, str] = {}
    for check in result.checks:
        for bug in check.bugs:
            (bugs if check.max_score else notes).setdefault(bug, f"{check.id}: {check.message}")
        if correct and check.max_score and check.status not in KEPT and not check.bugs:
            bugs[f"check {check.id}"] = f"{check.status}: {check.message}"
    return Seen(bugs, {b: m for b, m in notes.items() if b not in bugs})


class Bench:
    """Puts samples to `Watcher` and `Grader`, each started when first needed. Thread-safe."""

    def __init__(self, sandbox: str, data: Path | None) -> None:
        self._sandbox, self._data, self._stack = sandbox, data, ExitStack()
        self._watcher: Watcher | None = None
        self._grader: Grader | None = None

    def prepare(self, samples: Iterable[Sample]) -> None:
        """Start what these samples need, so that threads do not start it twice."""
        wanted = {s.assignment for s in samples}
        if "" in wanted:
            self._watcher = self._stack.enter_context(Watcher(self._sandbox, self._data))
        if wanted - {""}:
            self._grader = self._stack.enter_context(Grader(ROOT, self._sandbox, self._data))
            for assignment in sorted(wanted - {""}):
                self._grader.world(assignment)

    def __call__(self, sample: Sample) -> Seen:
        try:
            if not sample.assignment:
                assert self._watcher is not None
                seen = self._watcher.watch(sample.path, seconds=SECONDS)
                return watched(seen, correct=sample.kind == "correct")
            return self._grade(sample)
        except FiveBeatsError as e:
            return Seen(failed=str(e))

    def _grade(self, sample: Sample) -> Seen:
        assert self._grader is not None
        spec = self._grader.assignment(sample.assignment)
        found, refused = collect([sample.path], spec.id, {spec.id: spec.module})
        if len(found) != 1:
            return Seen(failed=f"{len(found)} submissions found, {len(refused)} refused")
        return graded(self._grader.grade(found[0]).result, correct=sample.kind == "correct")

    def close(self) -> None:
        """End the boxes."""
        self._stack.close()


def run(samples: Sequence[Sample], judge: Judge, jobs: int) -> list[Outcome]:
    """Every sample's outcome, in the samples' order; progress on stderr on a terminal."""
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(jobs) as pool:
        for outcome in pool.map(lambda s: Outcome(s, judge(s)), samples):
            outcomes.append(outcome)
            if sys.stderr.isatty():
                sys.stderr.write(
                    f"\r{len(outcomes)}/{len(samples)} {outcome.sample.name:.60}\x1b[K"
                )
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return outcomes


@dataclass
class Count:
    """A bug id's row: samples that have it, of how many something was said, and this was."""

    samples: int = 0
    found: int = 0
    right: int = 0
    missed: int = 0
    false: int = 0


def counts(outcomes: Iterable[Outcome]) -> dict[str, Count]:
    """By bug id, `stretch` rows only as far as accusations go."""
    rows: dict[str, Count] = {}
    for outcome in outcomes:
        for bug in outcome.sample.bugs if outcome.sample.kind != "stretch" else ():
            row = rows.setdefault(bug, Count())
            row.samples += 1
            row.found += outcome.spoken
            row.right += bug not in outcome.missed
            row.missed += bug in outcome.missed
        for bug in outcome.false:
            rows.setdefault(bug, Count()).false += 1
    return dict(sorted(rows.items()))


def totals(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """By kind of sample: files, files missed or accused, and files of which nothing was seen."""
    found: dict[str, dict[str, int]] = {}
    for kind in ("correct", "bug", "stretch"):
        rows = [o for o in outcomes if o.sample.kind == kind]
        found[kind] = {
            "files": len(rows),
            "missed": sum(bool(o.missed) for o in rows),
            "accused": sum(bool(o.false) for o in rows),
            "unseen": sum(bool(o.seen.failed) for o in rows),
        }
    return found


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    """The table by bug id, the totals by kind, and one line per miss and per accusation."""
    table = Table("bug id", title="The corpus", title_justify="left")
    for name in ("samples", "found", "named right", "missed", "false"):
        table.add_column(name, justify="right")
    for bug, c in counts(outcomes).items():
        cells = map(str, (c.samples, c.found, c.right, c.missed, c.false))
        table.add_row(Text(clean(bug)), *cells, style="red" if c.missed or c.false else "")
    console.print(table)
    for kind, t in totals(outcomes).items():
        console.print(
            f"{kind}: {t['files']} files, {t['missed']} with a bug missed, "
            f"{t['accused']} accused falsely, {t['unseen']} not seen"
        )
    for line in complaints(outcomes):
        console.print(Text(clean(line)))


def complaints(outcomes: Iterable[Outcome]) -> list[str]:
    """One line for each miss, accusation and file of which nothing was seen."""
    lines = []
    for o in outcomes:
        said = ", ".join([*o.seen.bugs, *(f"{n} (note)" for n in o.seen.notes)]) or "nothing"
        name = (
            o.sample.name if not o.sample.assignment else f"{o.sample.assignment} {o.sample.name}"
        )
        if o.seen.failed:
            lines.append(f"UNSEEN {name}: {o.seen.failed}")
            continue
        label = "missed, as it may be" if o.sample.kind == "stretch" else "MISSED"
        lines += [f"{label} {name}: expected {bug}, said {said}" for bug in o.missed]
        lines += [f"FALSE {name}: {bug}: {o.seen.bugs[bug]}" for bug in o.false]
        lines += [f"the recorder's own fault {name}: {fault}" for fault in o.seen.faults]
    return lines


def chosen(samples: Sequence[Sample], only: str, *, fast: bool) -> list[Sample]:
    """The samples asked for: `only` a bug id, a kind or a piece of a name; `fast` a cross-section
    (one sample of each bug, every fifth of the others).
    """
    if only:
        kept = [s for s in samples if only in s.bugs or only == s.kind or only in s.name]
        if not kept:
            raise InputError(f"nothing matches '{only}'", remedy="name a bug id, a kind or a file")
        samples = kept
    if not fast:
        return list(samples)
    seen: set[str] = set()
    quick = []
    for k, sample in enumerate(samples):
        new = bool(sample.bugs - seen) if sample.bugs else k % FAST_EVERY == 0
        if new:
            quick.append(sample)
            seen |= sample.bugs
    return quick


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.corpus", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="with a labels.tsv")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument(
        "--only", default="", metavar="WHAT", help="a bug id, a kind, a file's name"
    )
    parser.add_argument("--fast", action="store_true", help="one sample a bug, a fifth of the rest")
    parser.add_argument("--alone", action="store_true", help="only the folders given")
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a torchvision root")
    parser.add_argument("--json", action="store_true", help="for machines")
    return parser.parse_args(argv)


def gather(folders: Sequence[Path], *, alone: bool) -> list[Sample]:
    """The samples of the course and of tests/corpus, unless `alone`, and those of `folders`."""
    if alone and not folders:
        raise InputError("--alone without a folder", remedy="name one that has a labels.tsv")
    own = [] if alone else [*of_assignments(ROOT), *of_folder(OWN, ROOT, infer=False)]
    return [*own, *(s for folder in folders for s in of_folder(folder, ROOT))]


def main(argv: Sequence[str] | None = None) -> int:
    """Run, show, and say by the exit status whether all is well."""
    options = parse(argv)
    try:
        samples = chosen(
            gather(options.folders, alone=options.alone), options.only, fast=options.fast
        )
        bench = Bench(options.sandbox, options.data)
        try:
            bench.prepare(samples)
            outcomes = run(samples, bench, max(1, options.jobs))
        finally:
            bench.close()
    except FiveBeatsError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    bad = any(o.bad for o in outcomes)
    if options.json:
        report = {
            "schema": 1,
            "ok": not bad,
            "totals": totals(outcomes),
            "bugs": {bug: vars(c) for bug, c in counts(outcomes).items()},
            "files": [o.as_json() for o in outcomes],
        }
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        show(outcomes, Console(highlight=False, width=None if sys.stdout.isatty() else 160))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
