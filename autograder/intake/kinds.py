"""What a file is, in the words a teaching assistant would use: "a PDF", "a Word file".

Told by how its contents begin, and by its name's suffix where that says more (a Word file is a
zip, a page of HTML is text). Nothing is opened and nothing is believed: it is a word for a record.
"""

from __future__ import annotations

from pathlib import PurePath

from .tree import Leaf

_SUFFIXES = {
    ".pdf": "a PDF",
    ".doc": "a Word file", ".docx": "a Word file", ".docm": "a Word file",
    ".odt": "an OpenDocument text", ".rtf": "an RTF text", ".pages": "a Pages file",
    ".xls": "an Excel file", ".xlsx": "an Excel file", ".ods": "an OpenDocument table",
    ".numbers": "a Numbers file", ".csv": "a table (CSV)", ".tsv": "a table (TSV)",
    ".ppt": "a PowerPoint file", ".pptx": "a PowerPoint file", ".key": "a Keynote file",
    ".html": "a web page (HTML)", ".htm": "a web page (HTML)", ".mht": "a web page",
    ".webloc": "a link to a web page", ".url": "a link to a web page",
    ".gdoc": "a link to Google Drive", ".gslides": "a link to Google Drive",
    ".md": "a text (Markdown)", ".tex": "a text (LaTeX)", ".txt": "a text file",
    ".json": "a JSON file that is no notebook", ".yml": "a YAML file", ".yaml": "a YAML file",
    ".r": "an R script", ".rmd": "an R notebook", ".m": "a MATLAB script", ".jl": "a Julia script",
    ".java": "a Java file", ".c": "a C file", ".cpp": "a C++ file", ".js": "a JavaScript file",
    ".pyc": "compiled Python, without its source", ".pyd": "compiled Python, without its source",
    ".so": "a compiled library", ".exe": "a Windows program", ".dmg": "a macOS disk image",
    ".pt": "a checkpoint", ".pth": "a checkpoint", ".ckpt": "a checkpoint",
    ".safetensors": "a checkpoint", ".onnx": "an ONNX model",
    ".npy": "an array of NumPy", ".npz": "arrays of NumPy", ".pkl": "a pickle",
    ".eml": "an e-mail", ".msg": "an e-mail",
    ".rar": "a RAR archive", ".7z": "a 7-Zip archive", ".gz": "a gzip file",
    ".xz": "an xz file", ".bz2": "a bzip2 file", ".zst": "a Zstandard file",
    ".zip": "a zip archive", ".tar": "a tar archive",
    ".crdownload": "an unfinished download", ".part": "an unfinished download",
    ".download": "an unfinished download",
}  # fmt: skip
_MAGIC = (
    (b"%PDF", "a PDF"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf'\x1c", "a 7-Zip archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"RIFF", "a picture or a film"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"{\\rtf", "an RTF text"),
    (b"\x7fELF", "a compiled program"), (b"MZ", "a Windows program"),
    (b"SQLite format 3", "a database"),
)  # fmt: skip
_INSIDE = (
    (b"word/", "a Word file"),
    (b"xl/", "an Excel file"),
    (b"ppt/", "a PowerPoint file"),
    (b"opendocument", "an OpenDocument file"),
    (b"data.pkl", "a checkpoint"),
    (b"Index/", "a file of Apple's office"),
)
"""What stands near the beginning of a file that is a zip inside."""
_TEXT = frozenset(range(32, 256)) | {9, 10, 12, 13, 27}


def kind(leaf: Leaf) -> str:
    """What a file is, with its article."""
    head = leaf.head()
    suffix = PurePath(leaf.name).suffix.lower()
    if not leaf.size:
        return "an empty file"
    if not head.strip(b"\0"):
        return "a file of nothing but zeros, as a broken upload leaves it"
    return not_text(head) or _SUFFIXES.get(suffix) or _plain(head, suffix)


def not_text(head: bytes) -> str:
    """What a file is that begins like this, "" where that does not tell."""
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return what
    if head[4:8] == b"ftyp":
        return "a picture or a film"
    if head.startswith(b"PK"):
        return next((what for mark, what in _INSIDE if mark in head), "a zip archive")
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")):
        return "a packed file"
    return ""


def is_page(head: bytes) -> bool:
    """Whether a file begins as a web page does; so do pages that ask for a login."""
    return (
        head.lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower().startswith((b"<!doctype html", b"<html"))
    )


def _plain(head: bytes, suffix: str) -> str:
    if is_page(head):
        return "a web page (HTML)"
    if _TEXT.issuperset(head) or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a text file" + (f" ({suffix})" if suffix else "")
    return f"a file of an unknown kind ({suffix})" if suffix else "a file of an unknown kind"
