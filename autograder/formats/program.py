"""A file's bytes as a `model.Program`: the text of a script, or the code cells of a notebook.

Only the code is taken, without the cells in which otter checks its own tests. A notebook that
is no longer as it was handed out is mended where that is safe (`mend`), and the record says so.
A script that was saved from a notebook is what it was: the JSON of one under a script's name
is read as a notebook, and text with a notebook's own lines (`!pip`, `get_ipython()`), which
Python itself refuses, runs as a notebook of one cell.
What cannot be run is refused in words a teaching assistant can pass on.
"""

from __future__ import annotations

import codecs
import io
import re
import tokenize
from pathlib import PurePath

from ..model import Program
from ..text import clean
from .ipynb import looks_like_notebook, read_cells
from .mend import MEND_CAP, Handout, mend
from .names import names

PROGRAM_CAP = 32 << 20
SUFFIXES = (".py", ".ipynb")
NEARLY_WORK = (
    ".pdf", ".html", ".htm", ".docx", ".doc", ".odt", ".rtf", ".txt", ".pages", ".pyc",
    ".rar", ".7z", ".tar", ".gz", ".tgz", ".xz", ".r", ".rmd", ".m", ".jl",
)  # fmt: skip
"""What people hand in in a program's place."""
_MAGIC = re.compile(r"^[ \t]*[!%?]|= *[!%]|get_ipython", re.MULTILINE)
"""What a script may only hold that was saved from a notebook, strings and comments apart."""
_OTTER = re.compile(
    r"\s*(#[^\n]*\s+)?import otter\s+grader = otter\.Notebook\([^()\n]*\)\s*"
    r"|\s*grader\.(check|check_all|export)\([^()\n]*\)\s*"
)
"""otter's own cells, whole: they test the student's work, and are no part of it."""
STUB = re.compile(r"YOUR CODE HERE|raise\s+NotImplementedError")


def is_program(name: str) -> bool:
    """Whether a file of this name is a script or a notebook."""
    return PurePath(name).suffix.lower() in SUFFIXES


def folded(name: str) -> str:
    """A name without its suffix, in lower case, with `_` for everything but letters and digits."""
    stem = PurePath(name).stem if is_program(name) else name
    return re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")


def read_program(
    name: str, raw: bytes, handout: Handout | None = None
) -> tuple[Program, tuple[str, ...]]:
    """The program in a file, and notes on what had to be mended to read it.

    `handout` is what the student was given; without it a notebook is read as it stands.
    Raises `SubmissionError` where there is no Python program to be had.
    """
    name = clean(name).replace("\\", "_")
    if name.lower().endswith(".ipynb"):
        return _notebook(name, raw, handout)
    if looks_like_notebook(raw):
        program, said = _notebook(name, raw, handout)
        return program, (f"{name} holds a notebook, and was read as one", *said)
    text, notes = _decode(name, raw)
    if len(text) <= MEND_CAP and _MAGIC.search(text) and names(text).magic:
        said = (f"{name} was saved from a notebook, and ran as one cell of it",)
        return Program("notebook", name, (text,)), (*notes, *said)
    return Program("script", name, (text,)), notes


def stubs(program: Program) -> int:
    """How many places the handout left open are still open."""
    return len(STUB.findall(program.text))


def same_code(a: Program, b: Program) -> bool:
    """Whether two programs hold the same code, comments and white space apart."""
    return _bare(a) == _bare(b)


def _bare(program: Program) -> str:
    return "".join(re.sub(r"#[^\n]*", "", program.text).split())


def _decode(name: str, raw: bytes) -> tuple[str, tuple[str, ...]]:
    """A script's text, by its byte order mark or coding line, as Python itself reads it."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace"), (f"{name} was saved as UTF-16; read as that",)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return raw.decode(encoding), ()
    except (SyntaxError, UnicodeDecodeError, LookupError):
        note = f"{name} is not valid UTF-8; characters that could not be read were replaced"
        return raw.decode("utf-8", "replace"), (note,)


def _notebook(name: str, raw: bytes, handout: Handout | None) -> tuple[Program, tuple[str, ...]]:
    pieces, said = read_cells(name, raw)
    own = [p for p in pieces if not (p.code and _OTTER.fullmatch(p.text))]
    if len(own) < len(pieces):
        said.append(f"{name}: {len(pieces) - len(own)} of otter's own cells were left out")
    cells, mended = mend(name, own, handout)
    texts = {p.grade_id: p.text for p in own if p.grade_id and not p.code}
    return Program("notebook", name, cells, texts), (*said, *mended)
