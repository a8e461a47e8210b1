"""The leak scan: wherever a secret is planted in a release, and however it is dressed, it is
found; what is listed as shown is none.
"""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from autograder.authoring import build
from autograder.authoring.leaks import LeakError, Secret, scan, secrets_of, thresholds_of
from autograder.authoring.master import master_path, read_master
from autograder.checks.accuracy import MARGIN, luck
from autograder.course import config
from autograder.errors import ConfigError, SourceError
from autograder.exports import otter
from tests.authoring.test_build import circles, real, text_of, write_master
from tests.harness import ROOT
from tests.plants import PLACES

IDS = config.course(ROOT).assignments
LINE = "secret_radius = 41"
RULES = ("a line of a solution", "a hidden test", "a threshold")
MEASURED = 0.7654
"""A threshold as a calibration would give it: not every assignment has one committed."""
ALSO = {
    "a title": "Only staff read this title",
    "a marker": "### BEGIN SOLUTION",
    "the seed": "271828",
    "the seed, grouped": "it is 271,828 here",
    "the seed, as in code": "SEED = 271_828",
    "an option": "0.987654",
}


@cache
def course(name: str) -> tuple[dict[str, bytes], tuple[Secret, ...]]:
    """The files of a real release, and all that must not stand in them."""
    source, assignment = real(name)
    cells = read_master(master_path(source, assignment))
    return build.files_of(source, assignment), tuple(secrets_of(assignment, cells, [MEASURED]))


def planted(name: str, rule: str) -> Secret:
    """One secret of each kind: a line of a solution with blanks in it, a hidden test, a number."""
    _, secrets = course(name)
    lines = [s for s in secrets if s.rule == "a hidden line"]
    if rule == "a hidden test":
        return next(s for s in lines if s.text.startswith("grade("))
    if rule == "a threshold":
        return next(s for s in secrets if s.number == MEASURED)
    return next(s for s in lines if " = " in s.text and not s.text.startswith("grade("))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", IDS)
def test_secrets_are_found_wherever_they_are_planted(name: str, place: str) -> None:
    files, secrets = course(name)
    three = {planted(name, rule) for rule in RULES}
    file, raw = PLACES[place](dict(files), " ; ".join(s.text for s in three))
    found = scan({file: raw}, secrets)
    assert {leak.secret for leak in found} == three, "these and nothing else"
    assert {leak.file for leak in found} == {file}
    for leak in found:
        assert leak.secret.rule in leak.message and file in leak.message and leak.secret.remedy


DRESSES: dict[str, Callable[[str], str]] = {
    "with other spaces": lambda t: "\t" + t.replace(" ", "   "),
    "without spaces": lambda t: t.replace(" ", ""),
    "over two lines": lambda t: t.replace(" ", "\n    ", 1),
    "with a comment": lambda t: f"{t}    # as we solved it",
    "as a comment": lambda t: f"# {t}",
    "in capitals": str.upper,
    "with other quotes": lambda t: t.replace('"', "'"),
    "with hard blanks": lambda t: t.replace(" ", "\N{NO-BREAK SPACE}"),
    "with unseen characters": "\N{ZERO WIDTH SPACE}".join,
    "in full width": lambda t: "".join(chr(ord(c) + 0xFEE0) if c in "()=" else c for c in t),
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("name", IDS)
def test_a_line_is_found_however_it_is_dressed(name: str, dress: str) -> None:
    for rule in ("a line of a solution", "a hidden test"):
        secret = planted(name, rule)
        text = f"before\n{DRESSES[dress](secret.text)}\nbehind"
        found = scan({"README.md": text.encode()}, course(name)[1])
        assert secret in [leak.secret for leak in found]


@pytest.mark.parametrize(
    "text",
    ["0.7654", "at least 0.7654.", "acc>=.7654", "76.54 %", "76.54%", "76.54 percent", "0,7654",
     "76,54 %", "[0.7654,0.8]", "7.654e-1", "0.76540"],
)  # fmt: skip
def test_a_threshold_is_found_however_it_is_written(text: str) -> None:
    (leak,) = scan({"README.md": text.encode()}, [Secret("a threshold", "0.7654", number=0.7654)])
    assert leak.secret.number == MEASURED


@pytest.mark.parametrize("text", ["0.76541", "10.7654", "0.7654.1", "x0.7654", "76.54", "0.77"])
def test_another_number_is_no_threshold(text: str) -> None:
    assert not scan({"x.md": text.encode()}, [Secret("a threshold", "0.7654", number=0.7654)])


def test_a_comment_behind_a_hidden_line_need_not_come_along() -> None:
    folder, assignment = real("04-training-loop")
    cells = read_master(master_path(folder, assignment))
    (cell,) = [c for c in cells if "def train_one_epoch" in c.source and c.kind == "solution"]
    source = cell.source.replace("loss.backward()", "total.backward(None)  # the fourth beat")
    changed = type(cell)(cell.kind, source, cell.line)
    found = secrets_of(assignment, [*cells, changed])
    assert "total.backward(None)" in {s.text for s in found}


# -- the secrets of the course -------------------------------------------------------------------


def secrets(tmp_path: Path) -> list[Secret]:
    cells = read_master(write_master(tmp_path / "s") / "circles.py")
    return secrets_of(circles(), cells, [0.8765])


@pytest.mark.parametrize("what", ALSO)
def test_the_other_secrets_are_found_too(tmp_path: Path, what: str) -> None:
    (leak,) = scan({"x.md": f"so: {ALSO[what]}\n".encode()}, secrets(tmp_path))
    assert leak.message and leak.secret.remedy


def test_the_release_itself_leaks_nothing(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    build.build(source, circles(), tmp_path / "r")
    files = {n: t.encode() for n, t in text_of(tmp_path / "r").items()}
    assert scan(files, secrets(tmp_path)) == []


@pytest.mark.parametrize("name", IDS)
def test_every_hidden_line_of_the_course_would_be_found(name: str) -> None:
    files, found = course(name)
    lines = [s for s in found if s.rule == "a hidden line"]
    assert len(lines) >= 20
    text = files["README.md"].decode()
    for secret in lines:
        leaks = scan({"README.md": f"{text}\n# {secret.text}\n".encode()}, found)
        assert secret in [leak.secret for leak in leaks], secret.text


def test_a_calibration_hides_what_follows_from_it_too() -> None:
    measured = [0.79, 0.82, 0.84]
    text = f"digits-v1-cpu: {{accuracies: {measured}}}\n"
    threshold = statistics.mean(measured) - MARGIN - luck(measured)
    assert thresholds_of(text.encode()) == pytest.approx(
        [*measured, threshold, 0.1 + (threshold - 0.1) / 2], abs=1e-4
    )
    assert thresholds_of(b"") == []


@pytest.mark.parametrize("name", IDS)
def test_what_otter_makes_for_students_is_looked_through_too(name: str, tmp_path: Path) -> None:
    _, found = course(name)
    assignment = config.assignment(ROOT / "assignments" / name / "assignment.yml")
    (tmp_path / "tests").mkdir()
    case = tmp_path / "tests" / "task1.py"
    case.write_text("name = 'task1'\n")
    otter._refuse_leaks(ROOT, assignment, tmp_path, b"")
    line = next(s.text for s in found if s.rule == "a hidden line")
    case.write_text(f"name = 'task1'\n# {line}\n")
    with pytest.raises(LeakError, match="task1"):
        otter._refuse_leaks(ROOT, assignment, tmp_path, b"")


def test_only_what_is_listed_is_shown_on_purpose(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    path = source / "circles.py"
    text = f"# # Circles\n#\n# Begin with `{LINE}`, as good as 0.987654"
    path.write_text(path.read_text().replace("# # Circles", text))
    with pytest.raises(LeakError) as caught:
        build.files_of(source, circles())
    assert {x.secret.text for x in caught.value.leaks} == {LINE, "0.987654"}
    assert "list it under `shown:`" in str(caught.value)
    listed = circles(shown=[LINE.replace(" ", ""), 0.987654])
    assert build.files_of(source, listed)
    found = {s.text for s in secrets_of(listed, read_master(path))}
    assert {LINE, "0.987654"}.isdisjoint(found)
    assert {"271828", 'grade("hidden_probe")'} <= found
    assert listed.public().shown == (), "it is not told to students"


@pytest.mark.parametrize("entry", ["a line nobody wrote", 12345, "area(0) == 0"])
def test_what_is_listed_must_be_hidden(tmp_path: Path, entry: str | int) -> None:
    cells = read_master(write_master(tmp_path / "s") / "circles.py")
    with pytest.raises(ConfigError, match=rf"shown: '{entry if entry != 'area(0) == 0' else ''}"):
        secrets_of(circles(shown=[entry]), cells)


def test_a_bare_call_is_in_every_picture_of_the_loop() -> None:
    source, assignment = real("04-training-loop")
    found = {s.text for s in secrets_of(assignment, read_master(source / "training_loop.py"))}
    assert {"model.train()", "with torch.no_grad():"}.isdisjoint(found)
    assert "loss = loss_fn(logits, labels)" in found


# -- planted in the source, where it would come from ---------------------------------------------


def in_markdown(text: str, secret: str) -> str:
    return text.replace("# %% [markdown]\n", f"# %% [markdown]\n# A hint: `{secret}`\n#\n", 1)


def in_code(text: str, secret: str) -> str:
    return text + f"\n# %%\n# {secret}\n"


def in_a_public_test(text: str, secret: str) -> str:
    at = text.index("\n", text.index('tags=["public"]')) + 1
    return f"{text[:at]}# {secret}\n{text[at:]}"


@pytest.mark.parametrize("place", [in_markdown, in_code, in_a_public_test])
@pytest.mark.parametrize("name", IDS)
def test_a_secret_planted_in_the_master_stops_the_release(
    tmp_path: Path, name: str, place: Callable[[str, str], str]
) -> None:
    source, assignment = real(name)
    folder = tmp_path / name
    shutil.copytree(source, folder)
    master = master_path(folder, assignment)
    secret = planted(name, "a line of a solution")
    master.write_text(place(master.read_text(), secret.text))
    with pytest.raises(LeakError) as caught:
        build.build(folder, assignment, tmp_path / "r")
    assert {x.secret.text for x in caught.value.leaks} == {secret.text}
    assert not (tmp_path / "r").exists()


def test_a_picture_with_a_hidden_line_stops_the_release(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    (source / "img" / "circle.svg").write_text(f"<svg><text>{LINE}</text></svg>")
    with pytest.raises(SourceError, match=r"a hidden line would stand in img/circle\.svg") as e:
        build.build(source, circles(), tmp_path / "r")
    assert e.value.line == 10 and e.value.remedy and not (tmp_path / "r").exists()


def test_the_notebook_is_where_places_are_looked_for() -> None:
    """The places plant into the release's own notebook, not into an empty one."""
    files, _ = course(IDS[0])
    file, raw = PLACES["a cell's metadata"](dict(files), "planted")
    assert len(json.loads(raw)["cells"]) == len(json.loads(files[file])["cells"]) > 10
