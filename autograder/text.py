"""Text from strangers, made safe to show, to name files by and to open in a spreadsheet.

Student names, error messages and printed output are untrusted. Four places can be hurt by
them, and each has its own cure here:

    a terminal      escape sequences and control characters act on it       `clean`
    a reader's eye  bidirectional and invisible characters reorder text     `clean`
    a file system   separators, dots, case, length, reserved beginnings     `slug`
    a spreadsheet   a cell that begins with = + - @ is run as a formula     `cell`

HTML is escaped where HTML is made (`report`, by jinja2), not here.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC, DCS and the like, up to their end
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
    r"|\x9b[0-?]*[ -/]*[@-~]",
    re.DOTALL,
)
_SAFE = re.compile(r"[^A-Za-z0-9._-]+")
_HASHED = re.compile(r"-[0-9a-f]{8}$")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width ones count too
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
SLUG_LENGTH = 80


def clean(text: str, *, lines: bool = False) -> str:
    """`text` without terminal codes, control, bidirectional and invisible characters.

    With `lines`, newlines and tabs stay, and what a carriage return has overwritten is
    dropped, as a terminal shows it (progress bars); without, all white space runs
    together into single spaces.
    """
    text = _ESCAPES.sub("", text)
    if not lines:
        text = re.sub(r"\s", " ", text)
    elif "\r" in text:
        text = "\n".join(_overwritten(line) for line in text.replace("\r\n", "\n").split("\n"))
    text = "".join(ch for ch in text if ch in "\n\t" or unicodedata.category(ch) not in _UNSEEN)
    return text if lines else " ".join(text.split())


def _overwritten(line: str) -> str:
    """The last non-empty piece of a line that carriage returns have written over."""
    if "\r" not in line:
        return line
    return next((piece for piece in reversed(line.split("\r")) if piece.strip()), "")


def display_name(raw: str) -> str:
    """A student's name as it is shown: one clean line of at most 120 characters, never empty."""
    name = unicodedata.normalize("NFC", clean(_readable(raw))).strip()
    return name[:120].rstrip() or "unnamed"


def _readable(name: str) -> str:
    """A file's name whose bytes are no UTF-8, as whoever wrote it will have read it."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeDecodeError:
        return name.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    except UnicodeEncodeError:  # halves of characters that no file's name holds
        return name


def short_hash(text: str) -> str:
    """Eight hexadecimal digits that tell `text` apart from others."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def slug(name: str) -> str:
    """A file name for `name`: itself where it is safe, else a safe form with a short hash.

    Different names give different slugs: whatever was changed, and whatever already looks
    as if it carried a hash, gets one of its own.
    """
    safe = _SAFE.sub("-", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    safe = safe.strip(".-_ ")[:SLUG_LENGTH]
    if safe and safe == name and not _HASHED.search(name):
        return name
    return f"{safe or 'student'}-{short_hash(name)}"


def cell(value: object) -> str:
    """`value` as one cell of a CSV file that a spreadsheet will not run as a formula.

    Numbers stay numbers; text is one clean line, with a leading apostrophe where it would
    otherwise begin a formula.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    raw = str(value)
    text = clean(raw)
    if (text.startswith(_FORMULA) or raw.startswith(_FORMULA)) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def number(value: float) -> str:
    """A score as people write it: at most four decimals, no trailing zeros (`2`, `1.5`)."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def points(value: float) -> str:
    """A score as it is shown to people: at most two decimals (the table keeps four)."""
    return number(round(value, 2))


def distinct_names(raws: set[str]) -> dict[str, str]:
    """Each raw name's display name; two that look alike are told apart by a short hash, so
    that nobody's work can take another's place by an invisible character.
    """
    shown: dict[str, list[str]] = {}
    for raw in sorted(raws):
        shown.setdefault(display_name(raw), []).append(raw)
    names: dict[str, str] = {}
    for name, several in shown.items():
        for raw in several:
            alone = len(several) == 1 or raw == name
            names[raw] = name if alone else f"{name} ({short_hash(raw)})"
    return names
