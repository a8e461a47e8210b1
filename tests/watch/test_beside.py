"""What of the files beside a program goes into a box with it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder.intake.program import read_program
from autograder.watch import beside as module
from autograder.watch.beside import Beside, beside


def carried(home: Path, text: str | list[str], *argv: str) -> Beside:
    """What goes along with a script of this text, or a notebook of these cells."""
    path = home / ("main.py" if isinstance(text, str) else "main.ipynb")
    if isinstance(text, str):
        path.write_text(text, encoding="utf-8")
    else:
        book = nbformat.v4.new_notebook()
        book.cells = [nbformat.v4.new_code_cell(c) for c in text]
        nbformat.write(book, path)
    program, _ = read_program(path.name, path.read_bytes())
    return beside(path, program, argv)


def lay(home: Path, *names: str, text: str = "") -> None:
    for name in names:
        place = home / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


MODULES = {
    "import helper": {"helper.py"},
    "from nets import Net": {"nets/__init__.py", "nets/body.py", "nets/parts/heads.py"},
    "import nets.body as b": {"nets/__init__.py", "nets/body.py", "nets/parts/heads.py"},
    "import importlib\nm = importlib.import_module('nets.body')": {
        "nets/__init__.py",
        "nets/body.py",
        "nets/parts/heads.py",
    },
    "import importlib\nm = importlib.import_module(f'plugins.{name}')": {"plugins/one.py"},
    "import sys\nsys.path.append('./src')\nimport deep": {"src/deep.py"},
}


@pytest.mark.parametrize("text", MODULES)
def test_modules_come_along_in_packages_and_relatively(tmp_path: Path, text: str) -> None:
    lay(tmp_path, "helper.py", "src/deep.py", "plugins/one.py", "other.py")
    (tmp_path / "nets/parts").mkdir(parents=True)
    (tmp_path / "nets/__init__.py").write_text("from .body import Net\n")
    (tmp_path / "nets/body.py").write_text("from . import missing\nfrom .parts.heads import Head\n")
    (tmp_path / "nets/parts/heads.py").write_text("from ..body import Net\nfrom ... import up\n")
    assert carried(tmp_path, text).files.keys() == MODULES[text] | {"main.py"}


@pytest.mark.parametrize(
    "cells",
    [
        ["%matplotlib inline\nimport helper"],
        ["!pip install torch\n", "%%time\nimport helper"],
        ["%run helper.py"],
        ["x = !ls\nfrom helper import *"],
        ["%load_ext autoreload\n%autoreload 2\nif True:\n    import helper"],
    ],
)
def test_a_notebook_with_magics_is_read_like_any_other(tmp_path: Path, cells: list[str]) -> None:
    lay(tmp_path, "helper.py", "other.py")
    assert carried(tmp_path, cells).files.keys() == {"helper.py", "main.ipynb"}


@pytest.mark.parametrize(
    "text",
    [
        "torch.load('./runs/a/best.pt')",
        "torch.load('runs/a/best.pt')",
        "os.path.join('runs', 'a', 'best.pt')",
        "Path('runs') / 'a' / name",
        "os.path.dirname(__file__) + '/runs/a/best.pt'",
        "glob.glob('runs/a/*.pt')",
        "f'./runs/a/be{x}.pt'",
        "argparse.ArgumentParser().add_argument('--from', default='runs/a')",
    ],
)
def test_files_come_along_however_their_path_is_written(tmp_path: Path, text: str) -> None:
    lay(tmp_path, "runs/a/best.pt", "elsewhere/x.pt")
    found = carried(tmp_path, text)
    assert found.files.keys() == {"main.py", "runs/a/best.pt"}


def test_arguments_and_settings_name_files_too(tmp_path: Path) -> None:
    lay(tmp_path, "conf/run.yml", text="rows: ./tables/rows.csv\nout: ./out\n")
    lay(tmp_path, "tables/rows.csv", "weights/w.pt", "other.yml")
    (tmp_path / "out").mkdir()
    found = carried(tmp_path, "import sys", "--config=conf/run.yml", "./weights/w.pt")
    names = {"main.py", "conf/run.yml", "tables/rows.csv", "weights/w.pt"}
    assert found.files.keys() == names


def test_a_folder_to_write_to_is_there_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "out" / "run").mkdir(parents=True)
    found = carried(tmp_path, "torch.save(1, './out/run/last.pt')")
    assert found.folders == {"out/run"}
    assert found.files.keys() == {"main.py"}
    assert carried(tmp_path, "save('out')").folders == {"out"}


def test_what_lies_outside_or_is_hidden_stays_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    lay(home, "data/a.csv", "data/.secret", ".env")
    lay(tmp_path, "outside.txt", "there/b.txt")
    (home / "link").symlink_to(tmp_path / "there")
    found = carried(home, "open('../outside.txt'), open('link/b.txt'), open('data'), 'link'")
    assert found.files.keys() == {"main.py", "data/a.csv"}


def test_a_folder_that_is_too_large_comes_empty_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FILES_CAP", 5)
    lay(tmp_path, *(f"images/{k}.png" for k in range(9)), "small/a.txt", "helper.py")
    found = carried(tmp_path, "import helper\nroot, small = './images', './small'")
    assert found.files.keys() == {"main.py", "helper.py", "small/a.txt"}
    assert (found.large, found.folders) == ({"images"}, {"images", "small"})


def test_broken_text_and_odd_strings_are_no_obstacle(tmp_path: Path) -> None:
    assert carried(tmp_path, "def (:\n").files.keys() == {"main.py"}
    odd = "x = ['', '.', '/', '..', '*', 'a' * 999, '\\0', '~', '//', '{}', './', '\\n']"
    assert carried(tmp_path, odd).files.keys() == {"main.py"}
