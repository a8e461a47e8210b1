"""A file's bytes as a `model.Program`: the text of a script, or the code cells of a notebook.

Only the code is taken, without the cells in which otter checks its own tests. A notebook that
is no longer as it was handed out is mended where that is safe (`mend`), and the record says so.
A script that was saved from a notebook is what it was: the JSON of one under a script's name
is read as a notebook, and text with a notebook's own lines (`!pip`, `get_ipython()`), which
Python itself refuses, runs as a notebook of one cell. Browsers and mail programs put `.txt` or
`.json` behind a program's name; under such a name it is a program all the same.
What cannot be run is refused in words a teaching assistant can pass on.
"""

from __future__ import annotations

import codecs
import io
import json
import re
import tokenize
from pathlib import PurePath

from ..errors import SubmissionError
from ..model import Program
from ..text import clean
from .cell_names import names
from .kinds import is_page, not_text
from .notebook import looks_like_notebook, read_cells
from .repair import MEND_CAP, Handout, mend
from .tree import ARCHIVES, HEAD, Leaf

PROGRAM_CAP = 32 << 20
SUFFIXES = (".py", ".ipynb")
_PUT_BEHIND = re.compile(r"(\.(txt|text|json))+$", re.IGNORECASE)
"""Suffixes that other programs put behind a program's own."""
_UNDER = ("", ".json", ".txt", ".text")
"""Suffixes under which the JSON of a notebook is looked for."""
_MAGIC = re.compile(r"^[ \t]*[!%?]|= *[!%]|get_ipython", re.MULTILINE)
"""What a script may only hold that was saved from a notebook, strings and comments apart."""
_OTTER = re.compile(
    r"\s*(#[^\n]*\s+)?import otter\s+grader = otter\.Notebook\([^()\n]*\)\s*"
    r"|\s*grader\.(check|check_all|export)\([^()\n]*\)\s*"
)
"""otter's own cells, whole: they test the student's work, and are no part of it."""
STUB = re.compile(r"^[ \t]*raise\s+NotImplementedError", re.MULTILINE)
"""A place that the handout left open and nobody has written yet."""
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import|import[ \t]+([^#;\n]+))", re.MULTILINE
)


_NOT_WORK = frozenset(("conftest.py", "setup.py", "__init__.py"))
_OF_THE_CLASS = re.compile(
    r"(readme|licen[cs]e|roster|students|participants|grades?|gradebook|worksheet|times|deadlines"
    r"|index|manifest|submission_metadata|requirements|public)"
    r"(\.(md|rst|txt|csv|tsv|xlsx|ods|yml|yaml|json|html))?",
    re.IGNORECASE,
)
"""Files beside the students' that are plainly nobody's work."""


def of_the_class(name: str) -> bool:
    """Whether a file of this name is plainly nobody's work."""
    return name in _NOT_WORK or _OF_THE_CLASS.fullmatch(name) is not None


def is_program(name: str) -> bool:
    """Whether a file of this name is a script or a notebook."""
    return PurePath(name).suffix.lower() in SUFFIXES


def stem_of(name: str) -> str:
    """A file's name without its suffix: `alice` of `alice.py`, `alice.tgz`, `alice.ipynb.txt`."""
    for suffix in sorted(ARCHIVES, key=len, reverse=True):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    bare = _PUT_BEHIND.sub("", name)
    return PurePath(bare if is_program(bare) else name).stem


def program_name(leaf: Leaf) -> str | None:
    """The name under which a file is read as a program, None where it is none.

    `five_beats.py.txt` is a script, and a notebook's JSON is a notebook under `.json`, `.txt` or
    without a suffix.
    """
    if is_program(leaf.name):
        return leaf.name
    bare = _PUT_BEHIND.sub("", leaf.name)
    if is_program(bare):
        return bare
    if PurePath(leaf.name).suffix.lower() in _UNDER and looks_like_notebook(leaf.head()):
        return f"{bare}.ipynb"
    return None


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
    _refuse_what_is_no_text(name, raw)
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


def _refuse_what_is_no_text(name: str, raw: bytes) -> None:
    """Raise `SubmissionError` for a PDF, a picture or a broken upload under a program's name."""
    head = raw[:HEAD]
    zeros = b"\0" in raw and not raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not zeros and not is_page(head) and not head.startswith((b"%PDF-", b"{\\rtf")):
        return
    if (
        raw.strip(b"\0")
        and name.lower().endswith(".ipynb")
        and json.detect_encoding(raw) != "utf-8"
    ):
        return  # UTF-16 or UTF-32 without a mark, which JSON allows
    what = "a web page (HTML)" if is_page(head) else not_text(head)
    if not what:
        broken = "holds bytes of zero, as a broken upload leaves them"
        raise SubmissionError(broken, where=name, remedy="ask for the file again")
    raise SubmissionError(
        f"is {what} under a program's name", where=name, remedy="ask for the notebook or script"
    )


def stubs(program: Program) -> int:
    """How many places the handout left open are still open."""
    return len(STUB.findall(program.text))


def is_empty(program: Program) -> bool:
    """Whether there is no code in a program at all."""
    return not _bare(program)


def missing(program: Program, handout: Handout | None) -> int:
    """How many functions and classes that the handout asks for a program does not bind.

    0 where there is no handout, or where the program may bind more than can be seen.
    """
    if handout is None or not handout.asked or len(program.text) > MEND_CAP:
        return 0
    found = [names(cell) for cell in program.cells]
    if any(n.obscure for n in found):
        return 0
    return len(handout.asked - {name for n in found for name in n.binds})


def untouched(program: Program, handout: Handout | None) -> bool:
    """Whether every task of the handout is as it was handed out, and nothing was added."""
    if handout is None or len(program.text) > MEND_CAP:
        return False
    left = _bare(program)
    asked = [_squeezed(c.text) for c in handout.cells if c.role == "solution"]
    if not asked or not all(text in left for text in asked):
        return False
    for text in sorted((_squeezed(c.text) for c in handout.cells), key=len, reverse=True):
        left = left.replace(text, "")
    return not left


def imports(text: str) -> frozenset[str]:
    """The names of the modules that a program imports: of `from lib.nets import *`, `lib` and
    `nets`.
    """
    found: set[str] = set()
    for origin, several in _IMPORT.findall(text[:MEND_CAP]):
        for one in [origin] if origin else several.split(","):
            words = one.split()
            found.update((words[0] if words else "").split("."))
    return frozenset(found - {""})


def imports_of(leaf: Leaf) -> frozenset[str]:
    """What a program in a file imports, as far as its text tells; of a notebook's JSON nothing."""
    try:
        return imports(leaf.read(PROGRAM_CAP).decode("utf-8", "replace"))
    except SubmissionError:
        return frozenset()


def same_code(a: Program, b: Program) -> bool:
    """Whether two programs hold the same code, comments and white space apart."""
    return _bare(a) == _bare(b)


def _bare(program: Program) -> str:
    return _squeezed(program.text)


def _squeezed(text: str) -> str:
    """Text without comments and white space."""
    return "".join(re.sub(r"#[^\n]*", "", text).split())


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
