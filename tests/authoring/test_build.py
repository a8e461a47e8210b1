"""Releases: complete, the same bytes each time, usable as they are, and nothing hidden in them."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from autograder.authoring import build
from autograder.authoring.master import master_path, read_master, reference, solved_source
from autograder.authoring.notebook import quiet
from autograder.course import config, images
from autograder.errors import SourceError
from autograder.exports import otter
from autograder.model import Visibility
from scripts import rasters
from tests.harness import ROOT

IDS = config.course(ROOT).assignments
SECRETS = ("secret_radius = 41", "hidden_probe", "0.987654", "271828", "Only staff read this title")

MASTER = """\
# %% [markdown]
# # Circles
#
# ## Task 1 · The area

# %% nbgrader={solution}
def area(r):
    \"\"\"Task 1. The area of a circle.\"\"\"
    ### BEGIN SOLUTION
    secret_radius = 41
    return 3.14159 * r * r
    ### END SOLUTION

# %% tags=["public"] nbgrader={public}
assert area(0) == 0, "a point has no area"

# %% nbgrader={hidden}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("hidden_probe")
### END HIDDEN TESTS
"""


def grading(name: str, points: float | None = None, *, solution: bool = False) -> str:
    made: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "locked": not solution,
        "solution": solution,
        "task": False,
    }
    return json.dumps(made if points is None else {**made, "points": points})


def write_master(folder: Path, *, points: float = 2, hidden: str = "task1-hidden") -> Path:
    cells = {
        "solution": grading("task1-area", solution=True),
        "public": grading("task1-public", 1),
        "hidden": grading(hidden, points),
    }
    text = MASTER
    for kind, value in cells.items():
        text = text.replace("{" + kind + "}", value)
    folder.mkdir(exist_ok=True)
    (folder / "circles.py").write_text(text, encoding="utf-8")
    (folder / "img").mkdir(exist_ok=True)
    (folder / "img" / "circle.svg").write_text("<svg/>")
    return folder


def circles(**changes: Any) -> config.Assignment:
    check = {"use": "x", "task": 1, "title": "The area is right"}
    raw: dict[str, Any] = {
        "id": "01-circles",
        "title": "Circles",
        "version": 1,
        "module": "circles",
        "seed": 271828,
        "checks": [
            {**check, "id": "shown", "points": 1, "visibility": "public"},
            {
                **check,
                "id": "hidden_probe",
                "points": 2,
                "title": "Only staff read this title",
                "with": {"threshold": 0.987654},
            },
        ],
        **changes,
    }
    return config.Assignment.model_validate(raw)


def text_of(folder: Path) -> dict[str, str]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in files}


def real(name: str) -> tuple[Path, config.Assignment]:
    return ROOT / "source" / name, config.assignment(ROOT / "assignments" / name / "assignment.yml")


# -- a small source ------------------------------------------------------------------------------


def test_a_release_is_whole_and_says_what_it_says(tmp_path: Path) -> None:
    source, target = write_master(tmp_path / "s"), tmp_path / "out" / "01-circles"
    build.build(source, circles(), target)
    text = text_of(target)
    assert sorted(text) == [
        "README.md",
        "circles.ipynb",
        "circles.py",
        "img/circle.svg",
        "public.yml",
        "test_circles.py",
    ]
    assert "| 1 | The area | 3 | 1 |" in text["README.md"] and "| **3** |" in text["README.md"]
    assert "raise NotImplementedError()" in text["circles.py"]
    assert "assert area(0)" not in text["circles.py"]
    assert "def test_task1_public():" in text["test_circles.py"]
    public = config.assignment(target / "public.yml")
    assert [c.id for c in public.checks] == ["shown"] and public.seed == 0
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["01-circles"]


def test_experiments_stand_at_a_scripts_end_where_they_keep_no_task_from_being_defined(
    tmp_path: Path,
) -> None:
    source = write_master(tmp_path / "s")
    master = source / "circles.py"
    trial = '# %%\nif __name__ == "__main__":\n    print(area(3))\n\n'
    front = "* **You will need** an hour.\n* **You should know** circles."
    lines = "".join(f"# {line}\n" for line in front.splitlines())
    text = f"# %% [markdown]\n# # Circles\n#\n{lines}\n{trial}{master.read_text()}"
    master.write_text(text, encoding="utf-8")
    files = build.files_of(source, circles())
    assert files["circles.py"].decode().rstrip().endswith("print(area(3))")
    cells = [c["source"] for c in json.loads(files["circles.ipynb"])["cells"]]
    assert ["".join(c) for c in cells][1].endswith("print(area(3))"), "in place in a notebook"
    assert front in files["README.md"].decode()


def test_an_experiment_takes_its_question_and_its_answer_to_the_scripts_end(
    tmp_path: Path,
) -> None:
    source = write_master(tmp_path / "s")
    master = source / "circles.py"
    trial = (
        "\n# %% [markdown]\n# **Predict.** Of 2?\n"
        '\n# %%\nmy_guess_1 = "..."\n'
        '\n# %%\nif __name__ == "__main__":\n    print(area(2))\n'
        "\n# %% [markdown]\n# Twelve and a half.\n"
        "\n# %% [markdown]\n# ## Task 2 · More\n"
        "\n# %%\nradius = 3\n"
    )
    master.write_text(master.read_text() + trial, encoding="utf-8")
    script = build.files_of(source, circles())["circles.py"].decode()
    places = [
        script.index(part)
        for part in (
            "## Task 2 · More",
            "radius = 3",
            "## Experiment · task 1",
            "**Predict.** Of 2?",
            "my_guess_1",
            "print(area(2))",
            "Twelve and a half.",
        )
    ]
    assert places == sorted(places)


def test_the_readme_names_what_need_not_be_handed_in(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    assert "came with the handout" not in build.files_of(source, circles())["README.md"].decode()
    (source / "given").mkdir()
    (source / "given" / "ruler.py").write_text("LENGTH = 30\n")
    readme = build.files_of(source, circles())["README.md"].decode()
    assert "`ruler.py` came with the handout and need not be handed in." in " ".join(readme.split())


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    for name in ("a", "b"):
        build.build(source, circles(), tmp_path / name)
    assert text_of(tmp_path / "a") == text_of(tmp_path / "b")


def test_check_names_what_is_stale_missing_or_extra(tmp_path: Path) -> None:
    source, target = write_master(tmp_path / "s"), tmp_path / "r"
    assert len(build.check(source, circles(), target)) == 6
    build.build(source, circles(), target)
    assert build.check(source, circles(), target) == []
    (target / "__pycache__").mkdir()
    (target / "__pycache__" / "x.pyc").write_text("x")
    assert build.check(source, circles(), target) == []
    (target / "circles.py").write_text("edited")
    (target / "img" / "circle.svg").unlink()
    (target / "notes.txt").write_text("extra")
    assert build.check(source, circles(), target) == ["circles.py", "img/circle.svg", "notes.txt"]
    build.build(source, circles(), target)
    assert build.check(source, circles(), target) == []


def test_nothing_hidden_is_released(tmp_path: Path) -> None:
    source, target = write_master(tmp_path / "s"), tmp_path / "r"
    assignment = circles()
    planted = (source / "circles.py").read_text() + str(assignment.model_dump())
    assert all(secret in planted for secret in SECRETS), "else this test looks for nothing"
    build.build(source, assignment, target)
    for name, text in text_of(target).items():
        assert [secret for secret in (*SECRETS, "3.14159") if secret in text] == [], name


def test_the_gate_refuses_when_stripping_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_master(tmp_path / "s")
    monkeypatch.setattr(build, "student_source", solved_source)
    with pytest.raises(SourceError, match=r"a marker would stand in circles\.ipynb"):
        build.build(source, circles(), tmp_path / "r")
    monkeypatch.setattr(
        build, "student_source", lambda s: "" if "HIDDEN" in s else solved_source(s)
    )
    with pytest.raises(SourceError, match="secret_radius = 41") as e:
        build.build(source, circles(), tmp_path / "r")
    assert e.value.line == 10 and not (tmp_path / "r").exists()


def test_the_gate_refuses_the_seed_in_the_text(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    path = source / "circles.py"
    path.write_text(path.read_text().replace("# # Circles", "# # Circles 271828"))
    with pytest.raises(SourceError, match="secret seed"):
        build.build(source, circles(), tmp_path / "r")


def test_points_of_cells_and_checks_must_agree(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s", points=1.5)
    with pytest.raises(SourceError, match=r"hidden tests of task 1 are worth 1\.5") as e:
        build.build(source, circles(), tmp_path / "r")
    assert e.value.line and not (tmp_path / "r").exists()


def test_a_test_cell_names_its_task(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s", hidden="area-hidden")
    with pytest.raises(SourceError, match="names no task"):
        build.build(source, circles(), tmp_path / "r")


@pytest.mark.parametrize("kind", ["script", "notebook"])
def test_the_reference_has_solutions_and_no_tests(tmp_path: Path, kind: str) -> None:
    program = reference(write_master(tmp_path / "s"), circles(), kind)
    assert program.kind == kind and "secret_radius" in program.text
    assert not re.search(r"###|grade\(|assert", program.text)


# -- the committed releases ----------------------------------------------------------------------


@pytest.mark.parametrize("name", IDS)
def test_secret_inputs_are_drawn_from_a_word_that_nobody_can_guess(name: str) -> None:
    """A seed of five digits could be found by trying, from the inputs that a box is given."""
    _, assignment = real(name)
    assert len(assignment.secret) >= 32
    assert assignment.secret not in {real(other)[1].secret for other in IDS if other != name}


@pytest.mark.parametrize("name", IDS)
def test_the_committed_release_is_fresh(name: str) -> None:
    assert build.check(*real(name), ROOT / "release" / name) == []


@pytest.mark.parametrize("name", IDS)
def test_the_committed_release_hides_what_is_hidden(name: str) -> None:
    source, assignment = real(name)
    hidden = [c for c in assignment.checks if c.visibility is Visibility.HIDDEN]
    secrets = {c.title for c in hidden} | {str(assignment.seed), "autograder.live", "### "}
    for cell in read_master(master_path(source, assignment)):
        inside = re.findall(r"### BEGIN.*?\n(.*?)### END", cell.source, re.DOTALL)
        secrets |= {s.strip() for s in "\n".join(inside).splitlines() if "grade(" in s}
    thresholds = ROOT / "assignments" / name / "calibration.yml"
    if thresholds.is_file():
        secrets |= set(re.findall(r"\d\.\d{4,}", thresholds.read_text()))
    assert len(secrets) > 10
    for file, text in text_of(ROOT / "release" / name).items():
        shown = text.replace("\n", " ")
        assert [s for s in secrets if s in shown and not file.endswith(".svg")] == [], file


@pytest.mark.parametrize("name", IDS)
def test_notebook_metadata_are_what_nbgrader_reads(name: str) -> None:
    """Its schema, version 3, as nbgrader 0.9.6 validates it."""
    _, assignment = real(name)
    book = nbformat.read(ROOT / "release" / name / f"{assignment.module}.ipynb", as_version=4)
    nbformat.validate(book)
    required = {"schema_version", "grade", "locked", "solution"}
    allowed = required | {"task", "grade_id", "points", "checksum", "cell_type"}
    seen: list[str] = []
    points = 0.0
    for cell in book.cells:
        meta = cell.metadata.get("nbgrader")
        if meta is None:
            continue
        assert required <= set(meta) <= allowed and meta["schema_version"] == 3
        assert re.fullmatch(r"[a-zA-Z0-9_\-]+", meta["grade_id"])
        assert ("points" in meta) == meta["grade"] and meta.get("points", 0) >= 0
        assert meta["locked"] is not meta["solution"]
        seen.append(meta["grade_id"])
        points += meta.get("points", 0)
    assert len(seen) == len(set(seen)) > 10 and points == assignment.points == 20
    tasks = {c.task for c in assignment.checks if c.use != "by_hand"}
    for number in tasks:
        assert any(s.startswith(f"task{number}-") for s in seen)


@pytest.mark.parametrize("name", IDS)
def test_pictures_are_there(name: str) -> None:
    folder = ROOT / "release" / name
    links = re.findall(
        r"!\[[^]]+\]\(([^)]+)\)", (folder / f"{real(name)[1].module}.py").read_text()
    )
    assert links
    assert all((folder / link).read_text().startswith("<svg") for link in links)


def test_a_page_that_the_handout_links_to_comes_along(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    folder = write_master(tmp_path / "source" / "circles")
    master = folder / "circles.py"
    text = master.read_text(encoding="utf-8") + "\n# %% [markdown]\n# A [page](explore/a.html).\n"
    master.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=r"links to 'explore/a\.html', which is no page") as e:
        build.files_of(folder, circles())
    assert e.value.line == text.count("\n")
    (tmp_path / "docs" / "explore").mkdir(parents=True)
    (tmp_path / "docs" / "explore" / "a.html").write_text("<p>Play. <a href='b.html'>More</a></p>")
    files = build.files_of(folder, circles())
    assert files["explore/a.html"] == b"<p>Play. More</p>"


@pytest.mark.parametrize("name", IDS)
def test_notebooks_carry_their_pictures_within_them(name: str) -> None:
    """As they have to for Colab, which sees the notebook alone."""
    source, assignment = real(name)
    released = ROOT / "release" / name / f"{assignment.module}.ipynb"
    within = [json.loads(released.read_text(encoding="utf-8"))]
    within.append(json.loads(otter.master(ROOT, assignment)))
    drawn = master_path(source, assignment).read_text(encoding="utf-8").count("](img/")
    assert drawn
    for book in within:
        texts = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "markdown"]
        found = [m for t in texts for m in re.findall(r"!\[[^]]+\]\(([^)]+)\)", t)]
        assert len(found) == drawn
        for address in found:
            head, _, told = address.partition(",")
            assert head == "data:image/png;base64"
            assert base64.b64decode(told).startswith(b"\x89PNG\r\n")


def test_every_embedded_picture_is_drawn_from_the_one_that_is_there() -> None:
    assert [str(p.relative_to(ROOT)) for p in rasters.stale()] == []


def test_a_picture_that_was_changed_is_told_to_be_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "source" / IDS[0] / "img", tmp_path / "source" / "any" / "img")
    monkeypatch.setattr(rasters, "ROOT", tmp_path)
    assert rasters.stale() == []
    changed, missing = sorted((tmp_path / "source" / "any" / "img").glob("*.svg"))[:2]
    changed.write_text(changed.read_text().replace("<svg ", "<svg  "))
    missing.with_suffix(".png").unlink()
    assert rasters.stale() == [changed, missing]


@pytest.mark.parametrize("name", IDS)
def test_the_untouched_notebook_only_says_not_implemented(name: str, tmp_path: Path) -> None:
    _, assignment = real(name)
    book = nbformat.read(ROOT / "release" / name / f"{assignment.module}.ipynb", as_version=4)
    scope: dict[str, Any] = {"__name__": "__main__"}
    raised = []
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        try:
            exec(compile(cell.source, "<cell>", "exec"), scope)
        except Exception as e:  # noqa: BLE001 - a student sees whatever it is
            raised.append(type(e).__name__)
    assert set(raised) <= {"NotImplementedError", "NameError"} and "NotImplementedError" in raised


# -- as a student, with the plain tools and without our package -----------------------------------

# The package is installed where the tests run, so it has to be hidden.
WITHOUT_PACKAGE = """\
import sys


class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "autograder":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hidden())
"""


def hide_the_package(folder: Path) -> None:
    """Prepare a student's folder so that what `run` starts in it cannot import our package."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(WITHOUT_PACKAGE)


@pytest.fixture
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, config.Assignment]:
    """A student's folder: the release, and images in it where it needs any."""
    name: str = request.param
    source, assignment = real(name)
    folder = tmp_path / "desk"
    build.build(source, assignment, folder)
    if assignment.data is not None:
        root = images.find_root(assignment.data.dataset, None, None)
        small = assignment.data.model_copy(update={"train": 300, "test": 100, "hidden": 100})
        (folder / "data").symlink_to(images.prepare(small, 0, root, tmp_path / "cache").root)
    hide_the_package(folder)
    return folder, assignment


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=300,
    )


def environment(folder: Path) -> dict[str, str]:
    """The environment of a student who has PyTorch and pytest, and not the course's package."""
    return {
        **os.environ,
        "PYTHONPATH": str(folder / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "300",  # pytest shortens its summary to the terminal
        "JUPYTER_CONFIG_DIR": str(folder / "site"),
    }


def test_the_package_is_hidden_from_a_student(tmp_path: Path) -> None:
    hide_the_package(tmp_path)
    done = run(tmp_path, "-c", "import torchvision; import autograder.live")
    assert "No module named 'autograder" in done.stderr


def solve(folder: Path, name: str, assignment: config.Assignment) -> None:
    program = reference(ROOT / "source" / name, assignment, "script")
    (folder / f"{assignment.module}.py").write_text(program.text, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("desk", IDS, indirect=True)
def test_the_solution_runs_and_passes_the_public_tests(
    desk: tuple[Path, config.Assignment],
) -> None:
    folder, assignment = desk
    solve(folder, assignment.id, assignment)
    done = run(folder, f"{assignment.module}.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout
    tested = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout
    count = (folder / f"test_{assignment.module}.py").read_text().count("def test_")
    assert f"{count} passed" in tested.stdout


@pytest.mark.slow
@pytest.mark.parametrize("desk", IDS, indirect=True)
def test_the_untouched_script_says_what_is_missing(desk: tuple[Path, config.Assignment]) -> None:
    folder, assignment = desk
    done = run(folder, f"{assignment.module}.py")
    assert done.returncode == 1 and "NotImplementedError" in done.stderr
    tested = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 1 and "Traceback" not in tested.stdout
    reasons = re.findall(r"^FAILED .* - (?:Failed: )?(.*)$", tested.stdout, re.MULTILINE)
    count = (folder / f"test_{assignment.module}.py").read_text().count("def test_")
    assert len(reasons) == count and all(r.startswith("task ") for r in reasons), reasons
    assert "not written yet" in tested.stdout and " passed" not in tested.stdout


def cells_of(folder: Path, assignment: config.Assignment, *, solved: bool) -> Any:
    """The released notebook, with the reference in the cells to be written where `solved`."""
    book = nbformat.read(folder / f"{assignment.module}.ipynb", as_version=4)
    source = ROOT / "source" / assignment.id
    master = {c.grade_id: c for c in read_master(master_path(source, assignment))}
    for cell in book.cells:
        grading = cell.metadata.get("nbgrader", {})
        if solved and grading.get("solution"):
            cell.source = solved_source(master[grading["grade_id"]].source)
    return book


def public_failures(path: Path) -> tuple[list[str], int]:
    """What the public test cells of a notebook that was run raised, and how many there are."""
    tests = [c for c in nbformat.read(path, 4).cells if "public" in c.metadata.get("tags", [])]
    assert all(c.execution_count for c in tests)
    raised = [o for c in tests for o in c.outputs if o.output_type == "error"]
    return [f"{o.ename}: {o.evalue}" for o in raised], len(tests)


@pytest.mark.slow
@pytest.mark.parametrize("desk", IDS, indirect=True)
def test_the_notebooks_own_tests_run_without_the_package(
    desk: tuple[Path, config.Assignment],
) -> None:
    folder, assignment = desk
    books = {solved: folder / f"solved_{solved}.ipynb" for solved in (True, False)}
    for solved, path in books.items():
        nbformat.write(cells_of(folder, assignment, solved=solved), path)
    options = ("--allow-errors", "--inplace", "--startup_timeout=300")
    command = "import nbclient.cli; nbclient.cli.main()"
    done = run(folder, "-c", command, *options, *map(str, books.values()))
    assert done.returncode == 0, done.stderr

    raised, count = public_failures(books[True])
    assert raised == [] and count
    raised, count = public_failures(books[False])
    assert len(raised) == count
    assert all(r.startswith(("NotImplementedError", "NameError: name '")) for r in raised), raised


@pytest.mark.slow
@pytest.mark.parametrize("desk", ["05-five-beats"], indirect=True)
def test_half_a_program_is_tested_as_far_as_it_goes(desk: tuple[Path, config.Assignment]) -> None:
    folder, assignment = desk
    solve(folder, assignment.id, assignment)
    path = folder / "five_beats.py"
    text = path.read_text()
    assert text.count("best_acc = 0.0\n") == 1
    path.write_text(text.replace("best_acc = 0.0\n", "raise NotImplementedError()\n"))
    tested = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "1 failed, 4 passed" in tested.stdout
    assert "task 6: name 'best_acc' is not defined; five_beats.py stops at line" in tested.stdout


def test_public_yml_is_only_public() -> None:
    for name in IDS:
        raw = yaml.safe_load((ROOT / "release" / name / "public.yml").read_text())
        assert {c["visibility"] for c in raw["checks"]} == {"public"} and "seed" not in raw


# -- test cells of the released notebooks ----------------------------------------------------------


def graded_cells(name: str) -> list[dict[str, Any]]:
    """The code cells of a released notebook that test something."""
    module = config.assignment(ROOT / "assignments" / name / "assignment.yml").module
    book = json.loads((ROOT / "release" / name / f"{module}.ipynb").read_text(encoding="utf-8"))
    tested = (c for c in book["cells"] if c["metadata"].get("nbgrader", {}).get("grade"))
    return [c for c in tested if c["cell_type"] == "code"]


@pytest.mark.parametrize("name", IDS)
def test_test_cells_cannot_be_changed_or_deleted_by_accident(name: str) -> None:
    found = graded_cells(name)
    assert len(found) > 5
    for cell in found:
        assert (cell["metadata"]["deletable"], cell["metadata"]["editable"]) == (False, False)


@pytest.mark.parametrize("name", IDS)
def test_a_public_cell_writes_nothing_to_stderr_and_shows_no_value(name: str) -> None:
    """Either would be a failure to nbgrader, or a score."""
    public = [c for c in graded_cells(name) if "public" in c["metadata"].get("tags", [])]
    assert public
    for cell in public:
        tree = ast.parse("".join(cell["source"]))
        assert isinstance(tree.body[-1], ast.With), "all but the imports stands in it"
        assert all(isinstance(s, ast.Import) for s in tree.body[:-1])
        last = tree.body[-1].body[-1]
        quiet_call = isinstance(last, ast.Expr) and ast.unparse(last).endswith(".backward()")
        assert quiet_call or isinstance(last, (ast.Assert, ast.For, ast.With, ast.Try, ast.If))


def test_a_quiet_test_passes_and_fails_as_the_loud_one_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loud = (
        "# Task 1\nimport sys\n\nprint('bar', file=sys.stderr)\nprint('seen')\nassert x == 1, 'one'"
    )
    names: dict[str, Any] = {"x": 1}
    exec(quiet(loud), names)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("seen\n", "") and names["sys"] is sys
    with pytest.raises(AssertionError, match="one"):
        exec(quiet(loud), {"x": 2})
    assert quiet(loud).startswith("# Task 1\nimport contextlib\n")
