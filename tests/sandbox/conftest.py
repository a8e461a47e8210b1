"""The backends that the conformance suite goes through, and how it puts a question to a box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.grading.cluster import Cluster
from autograder.model import Evidence, Job, Limits, LoadReport, ProbeRequest, Program
from autograder.sandbox import Container, Sandbox, choose
from tests.clusters import cluster
from tests.conftest import ENGINE


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of prepared data, with one root in it."""
    made = tmp_path_factory.mktemp("shelf")
    (made / "root").mkdir()
    (made / "root" / "hello").write_text("data")
    made.chmod(0o755)
    return made


BACKENDS = [
    "bubblewrap",
    pytest.param(ENGINE, marks=pytest.mark.slow),
    pytest.param("uid", marks=pytest.mark.root),
    "none",
]


@pytest.fixture(scope="module", params=BACKENDS)
def sandbox(request: pytest.FixtureRequest, shelf: Path) -> Iterator[Sandbox]:
    """Each backend that this machine can run, in turn."""
    yield from opened(request, shelf)


def opened(request: pytest.FixtureRequest, shelf: Path) -> Iterator[Sandbox]:
    """The backend that is the fixture's parameter."""
    if request.param == "cluster":
        folder = request.getfixturevalue("tmp_path_factory").mktemp("cluster")
        with cluster(folder, workers=1, threads=2) as there, Cluster(there.address) as far:
            yield far
        return
    if request.param == ENGINE:
        request.getfixturevalue("engine_image")
    # one container waiting is enough here: most questions need containers of another shape
    contained = request.param == ENGINE
    made = Container(ENGINE, warm=1) if contained else choose(request.param, shelf)
    yield made
    made.close()


FAST = Limits(wall_s=3, check_s=2, cpu_s=10, memory_mb=400, output_kb=16)


def run(
    sandbox: Sandbox,
    text: str,
    *requests: ProbeRequest,
    limits: Limits = FAST,
    files: dict[str, bytes] | None = None,
    data: Path | None = None,
    kind: str = "script",
) -> tuple[LoadReport, list[Evidence]]:
    program = Program(kind, "work.py", (text,))  # type: ignore[arg-type]
    with sandbox.open(Job(program, files or {}, limits, data)) as box:
        return box.load(), [box.probe(r) for r in requests]


def call(name: str, *positional: object, start: str = "loaded") -> ProbeRequest:
    return ProbeRequest("values:call", {"name": name, "positional": list(positional)}, {}, start)  # type: ignore[arg-type]
