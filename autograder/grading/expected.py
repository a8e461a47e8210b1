"""What the reference solution answers to the questions of an assignment's checks.

    a box with the solution of source/<id>   where the course has it
    assignments/<id>/expected/               where a grader travels without: the answers to all
                                             questions that can be asked of a submission, written
                                             when it was packed

Answers are kept in the cache under a name for all they depend on, so that a class, and the next
run, ask each question once. They are evidence of a box like any other, and are read as such.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from ..authoring.master import given_files, master_path, reference
from ..checks import Context, own
from ..checks.base import VARIANTS
from ..checks.judge import World, credited
from ..course.config import Assignment
from ..errors import GraderError
from ..model import Evidence, Job, Limits, ProbeRequest
from ..results import files as kept
from ..sandbox import Box, Sandbox

FOLDER = "expected"
ENOUGH = 1_000
"""Names that are tried so that each of `VARIANTS` sets of questions has one."""


def source_digest(source: Path, assignment: Assignment) -> str:
    """A name for the bytes of an assignment's solution; "" where there is none."""
    master = master_path(source, assignment)
    if not master.is_file():
        return ""
    found = hashlib.sha256(master.read_bytes())
    for name, raw in given_files(source).items():
        found.update(f"{name}\0{len(raw)}\0".encode() + raw)
    return found.hexdigest()[:16]


@lru_cache(maxsize=1)
def _box_digest() -> str:
    """A name for the code that runs in a box, on which answers depend."""
    found = hashlib.sha256()
    for path in sorted((Path(__file__).parent.parent / "inside").rglob("*.py")):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


class Expected:
    """Asks the reference solution of one assignment, as a box asks a submission. Thread-safe.

    `key` names the versions that run it.
    """

    def __init__(
        self,
        assignment: Assignment,
        root: Path,
        sandbox: Sandbox,
        limits: Limits,
        data: Path | None,
        cache: Path,
        key: str,
    ) -> None:
        self.assignment, self.sandbox, self.limits, self.data = assignment, sandbox, limits, data
        self.source = root / "source" / assignment.id
        self.carried = root / "assignments" / assignment.id / FOLDER
        version = source_digest(self.source, assignment)
        parts = [
            key,
            _box_digest(),
            version,
            own.digest(assignment.folder),
            "" if data is None else data.name,
        ]
        named = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
        self.shelf = cache / FOLDER / assignment.id / named
        self.has_source = bool(version)
        self._box: Box | None = None
        self._known: dict[str, Evidence] = {}
        self._lock = threading.Lock()

    def __call__(self, request: ProbeRequest) -> Evidence:
        """The reference's answer. Raises `GraderError` where it is nowhere and cannot be had."""
        with self._lock:
            if request.digest not in self._known:
                self._known[request.digest] = self._find(request)
            return self._known[request.digest]

    def _job(self) -> Job:
        program = reference(self.source, self.assignment, "script")
        files, probes = given_files(self.source), own.probes(self.assignment)
        return Job(program, files, self.limits, self.data, probes=probes)

    @contextlib.contextmanager
    def in_one_box(self) -> Iterator[None]:
        """Within, one box answers whatever is asked; by one thread."""
        if not self.has_source:
            yield
            return
        with self.sandbox.open(self._job()) as box:
            box.load()
            self._box = box
            try:
                yield
            finally:
                self._box = None

    def _find(self, request: ProbeRequest) -> Evidence:
        for folder in (self.shelf,) if self.has_source else (self.carried,):
            found = kept.read_one(folder, request.digest)
            if found is not None:
                return found
        if not self.has_source:
            raise GraderError(
                f"the reference's answer to '{request.probe}' is not in {FOLDER}/",
                where=self.assignment.id,
                remedy="package the assignment anew where its source is",
            )
        if self._box is not None:
            found = self._box.probe(request)
        else:
            with self.sandbox.open(self._job()) as box:
                if request.start == "loaded":
                    box.load()
                found = box.probe(request)
        if found.status != "done":
            raise GraderError(
                f"the reference of {self.assignment.id} does not answer '{request.probe}': "
                f"{found.error or found.detail or found.status}",
                remedy="run the source as a script and mend it",
            )
        kept.write_one(self.shelf, request.digest, found)
        return found


def questions(world: World) -> Iterator[ProbeRequest]:
    """Every question that the checks of an assignment may put to its reference, each once: those
    that they compare with, and those by which it is told whose fault a judge is that raises.
    """
    seen: set[str] = set()
    for request in _of_nobody(world):
        if request.digest not in seen:
            seen.add(request.digest)
            yield request
    for submission in _one_of_each(world.assignment):
        for spec in world.assignment.checks:
            check = world.check(spec)
            context = Context(
                world.assignment,
                check.filled(spec),
                submission=submission,
                names=own.names(world.assignment),
            )
            for request in check.expects(context):
                if request.digest not in seen:
                    seen.add(request.digest)
                    yield request


def _of_nobody(world: World) -> list[ProbeRequest]:
    """What each check's judge looks at of the reference's answers, for nobody in particular."""
    asked: list[ProbeRequest] = []

    def ask(request: ProbeRequest) -> Evidence:
        assert world.reference is not None
        found = world.reference(request)
        asked.append(request)
        return found

    one = world.reference
    with one.in_one_box() if isinstance(one, Expected) else contextlib.nullcontext():
        for spec in world.assignment.checks:
            credited(world.check(spec), world.context(spec), ask)
    return asked


def _one_of_each(assignment: Assignment) -> list[str]:
    """A submission for each set of shared questions, and "" for nobody's."""
    spec = assignment.checks[0]
    found: dict[int, str] = {}
    for i in range(ENOUGH):
        found.setdefault(Context(assignment, spec, submission=str(i)).variant, str(i))
        if len(found) == VARIANTS:
            break
    return ["", *found.values()]


def carried(world: World) -> dict[str, bytes]:
    """The reference's answers to all of them, as files of `expected/`. Raises `GraderError`."""
    files: dict[str, bytes] = {}
    for request in questions(world):
        assert world.reference is not None
        files |= {
            f"{FOLDER}/{name}": raw
            for name, raw in kept.evidence_files(request.digest, world.reference(request)).items()
        }
    return files
