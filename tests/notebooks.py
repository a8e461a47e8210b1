"""Notebooks as they come back from students: the real releases, done, and then treated as editors,
tools and people treat them. Shared by `test_mend.py` and `test_mended.py`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import nbformat

from autograder.authoring.master import read_master, solved_source
from tests.samples import ROOT

Book = dict[str, Any]
Change = Callable[[Book], Book]
MODULES = {
    "04-training-loop": "training_loop",
    "05-five-beats": "five_beats",
    "06-line-by-line": "line_by_line",
    "08-schedule-and-resume": "schedule_and_resume",
}
BUGS = {  # a line of the reference solution, and a well-known slip in its place
    "04-training-loop": ("optimizer.zero_grad()", "pass"),
    "05-five-beats": ("torch.no_grad()", "torch.enable_grad()"),
    "06-line-by-line": ("optimizer.zero_grad()", "pass"),
    "08-schedule-and-resume": ("optimizer.zero_grad()", "pass"),
}


@lru_cache
def _release(assignment: str) -> str:
    path = ROOT / "release" / assignment / f"{MODULES[assignment]}.ipynb"
    return path.read_text(encoding="utf-8")


def release(assignment: str) -> Book:
    """The notebook that students get."""
    book: Book = json.loads(_release(assignment))
    for cell in book["cells"]:
        cell["source"] = "".join(cell["source"])
    return book


@lru_cache
def _solutions(assignment: str) -> dict[str, str]:
    master = ROOT / "source" / assignment / f"{MODULES[assignment]}.py"
    cells = [c for c in read_master(master) if c.kind == "solution"]
    return {c.grade_id: solved_source(c.source) for c in cells}


def solved(assignment: str, *, bug: bool = False) -> Book:
    """The release with the reference solution in it, or with a bug in that."""
    book = release(assignment)
    right, wrong = BUGS[assignment] if bug else ("", "")
    for cell in book["cells"]:
        text = _solutions(assignment).get(grade_id(cell))
        if text is not None:
            cell["source"] = text.replace(right, wrong) if right else text
    return book


def raw(book: Book) -> bytes:
    return json.dumps(book).encode()


def grade_id(cell: Book) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def code(book: Book) -> list[Book]:
    return [c for c in book["cells"] if c["cell_type"] == "code"]


def solutions(book: Book) -> list[Book]:
    return [c for c in code(book) if c["metadata"].get("nbgrader", {}).get("solution")]


def tests(book: Book) -> list[Book]:
    return [c for c in code(book) if grade_id(c).endswith("-public")]


def drop(book: Book, gone: list[Book]) -> Book:
    book["cells"] = [c for c in book["cells"] if not any(c is g for g in gone)]
    return book


# -- what editors and tools do -----------------------------------------------------------------


def ran(book: Book) -> Book:
    """Saved after a run, with outputs, counts and times."""
    for n, cell in enumerate(code(book), 1):
        cell["execution_count"] = n
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["loss [0.1]\n"]}]
        cell["metadata"]["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00.000Z"}
    return book


def cleared(book: Book) -> Book:
    """`nbconvert --clear-output`."""
    for cell in code(ran(book)):
        cell["execution_count"], cell["outputs"] = None, []
    return book


def without_cell_ids(book: Book) -> Book:
    """Format 4.4, as older editors write it."""
    book["nbformat_minor"] = 4
    for cell in book["cells"]:
        cell.pop("id", None)
    return book


def without_grade_ids(book: Book) -> Book:
    """As editors leave it that keep no metadata of others, new cell ids included."""
    for n, cell in enumerate(book["cells"]):
        cell["metadata"], cell["id"] = {}, f"{n:08x}"
    return book


def colab(book: Book) -> Book:
    """Saved in Colab: format 4.0, ids in the metadata, a badge on top."""
    book["nbformat_minor"] = 0
    book["metadata"] = {
        "colab": {"provenance": [], "gpuType": "T4", "include_colab_link": True},
        "accelerator": "GPU",
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    for n, cell in enumerate(book["cells"]):
        cell.pop("id", None)
        cell["metadata"]["id"] = f"D7YnThiq{n:04d}"
        cell["source"] = cell["source"].splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["metadata"] |= {
                "colab": {"base_uri": "https://localhost:8080/", "height": 87},
                "outputId": f"2f312523-b543-487c-9097-{n:012d}",
                "executionInfo": {"status": "ok", "elapsed": 383, "user_tz": 240},
            }
            cell["execution_count"] = n
    badge = {"id": "view-in-github", "colab_type": "text"}
    book["cells"].insert(0, {"cell_type": "markdown", "metadata": badge, "source": ["<a></a>"]})
    mount = "from google.colab import drive\ndrive.mount('/content/drive')\n!nvidia-smi"
    book["cells"].insert(1, {"cell_type": "code", "metadata": {"id": "x"}, "source": [mount]})
    return book


def colab_bare(book: Book) -> Book:
    """Pasted into a new Colab notebook: nothing left of the handout's metadata."""
    return colab(without_grade_ids(book))


def vscode(book: Book) -> Book:
    """Saved by an older VS Code: format 4.2, nobody else's metadata, an interpreter's hash."""
    book = without_cell_ids(without_grade_ids(book))
    book["nbformat_minor"] = 2
    book["metadata"] = {
        "kernelspec": {
            "display_name": "Python 3.11.4 ('venv')", "language": "python", "name": "python3",
        },
        "language_info": {"name": "python", "version": "3.11.4", "file_extension": ".py"},
        "orig_nbformat": 4,
        "vscode": {"interpreter": {"hash": "5fcd78ef" * 8}},
    }  # fmt: skip
    for cell in code(book):
        cell["metadata"] = {"vscode": {"languageId": "python"}}
    return book


def jupytext(book: Book) -> Book:
    """Paired with a script by jupytext."""
    book["metadata"]["jupytext"] = {
        "formats": "ipynb,py:percent",
        "text_representation": {"extension": ".py", "format_name": "percent"},
    }
    return book


def format_3(book: Book) -> Book:
    """Saved by IPython 2: worksheets, and `input` for `source`."""
    older: Book = json.loads(json.dumps(nbformat.convert(nbformat.from_dict(book), 3)))
    return older


# -- what people do ----------------------------------------------------------------------------


def imports_lost(book: Book) -> Book:
    return drop(book, code(book)[:1])


def imports_cut(book: Book) -> Book:
    """All but the first line of the imports is gone, and one of the student's own is there."""
    code(book)[0]["source"] = "import torch\nimport collections"
    return book


def imports_last(book: Book) -> Book:
    first = code(book)[0]
    drop(book, [first])["cells"].append(first)
    return book


def imports_as_text(book: Book) -> Book:
    code(book)[0]["cell_type"] = "markdown"
    return book


def imports_own(book: Book) -> Book:
    """No cell of imports, but each cell imports what it needs."""
    text = code(book)[0]["source"]
    imports_lost(book)
    for cell in solutions(book):
        cell["source"] = f"{text}\n{cell['source']}"
    return book


def tests_lost(book: Book) -> Book:
    return drop(book, tests(book))


def tests_edited(book: Book) -> Book:
    for cell in tests(book):
        cell["source"] = "assert True"
    return book


def stubs_below(book: Book, assignment: str) -> Book:
    """The handout's cells copied in once more below the work, ids and all."""
    book["cells"] += solutions(release(assignment))
    return book


def doubled(book: Book) -> Book:
    """Each function's cell copied below itself."""
    cells = []
    for cell in book["cells"]:
        cells.append(cell)
        if cell["cell_type"] == "code" and cell["source"].startswith(("def ", "class ")):
            cells.append(copy.deepcopy(cell))
    book["cells"] = cells
    return book


def split(book: Book) -> Book:
    """The last solution cell cut in two, and both halves carry its metadata, as in JupyterLab."""
    cell = solutions(book)[-1]
    second = copy.deepcopy(cell)
    second["source"], cell["source"] = cell["source"], "began = True"
    book["cells"].insert(book["cells"].index(cell) + 1, second)
    return book


def as_text(book: Book) -> Book:
    """A solution cell turned into text: the key `m` pressed once."""
    solutions(book)[1]["cell_type"] = "markdown"
    return book


def backwards(book: Book) -> Book:
    book["cells"].reverse()
    return book


def last_first(book: Book) -> Book:
    """The last solution cell moved up to the front."""
    cell = solutions(book)[-1]
    drop(book, [cell])["cells"].insert(0, cell)
    return book


def merged(book: Book) -> Book:
    """All of the student's code in one cell, the others deleted."""
    cells = [c for c in code(book) if c not in tests(book) and "Hidden tests" not in c["source"]]
    cells[0]["source"] = "\n\n".join(c["source"] for c in cells)
    return drop(book, code(book)[1:])


def own_cells(book: Book) -> Book:
    """Scratch cells between the handout's."""
    cells = []
    for n, cell in enumerate(book["cells"]):
        cells += [cell, {"cell_type": "code", "metadata": {}, "source": f"%time scratch = {n}"}]
    book["cells"] = cells
    return book


def changes(assignment: str) -> dict[str, Change]:
    """Every change that leaves a notebook the same work, by name."""
    found: list[Change] = [
        ran, cleared, without_cell_ids, without_grade_ids, colab, colab_bare, vscode, jupytext,
        format_3, imports_lost, imports_cut, imports_last, imports_as_text, imports_own,
        tests_lost, tests_edited, doubled, split, as_text, backwards, last_first, merged, own_cells,
    ]  # fmt: skip
    return {c.__name__: c for c in found} | {"stubs_below": lambda b: stubs_below(b, assignment)}
