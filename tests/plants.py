"""Places in a release where something may be planted, for the tests of the leak scan."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

Place = Callable[[dict[str, bytes], str], tuple[str, bytes]]
"""From a release's files and a text to the file, by its name, that now holds the text too."""


def zipped(text: str, name: str = "inner/notes.txt", comment: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment.encode()
        archive.writestr(name, text)
    return out.getvalue()


def tarred(text: str, name: str = "notes.txt") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def in_zip(raw: bytes, name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, raw)
    return out.getvalue()


def png(text: str) -> bytes:
    body = b"Comment\0\0" + zlib.compress(text.encode())
    chunk = len(body).to_bytes(4, "big") + b"zTXt" + body + b"\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def tags(text: str) -> str:
    """Text as drawn word by word."""
    words = (f"<tspan>{html.escape(word)}</tspan>" for word in text.split())
    return f"<svg><text>{' '.join(words)}</text></svg>"


def notebook(files: dict[str, bytes], change: Callable[[Any], object]) -> tuple[str, bytes]:
    """The release's notebook after `change`."""
    (name,) = [n for n in files if n.endswith(".ipynb")]
    book = json.loads(files[name])
    change(book)
    return name, json.dumps(book).encode()


def a_cell(kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": ["so:\n", text]}
    return cell if kind == "markdown" else {**cell, "outputs": [], "execution_count": None}


def output(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": [text[:4], text[4:]]}


def code(book: Any) -> Any:
    """A code cell of a notebook."""
    return next(c for c in book["cells"] if c["cell_type"] == "code")


def add(files: dict[str, bytes], end: str, text: str) -> tuple[str, bytes]:
    """A file of the release, told by its end, with a line more."""
    name = next(n for n in sorted(files) if n.endswith(end))
    return name, files[name] + f"\n    {text}\n".encode()


PLACES: dict[str, Place] = {
    "the README": lambda f, t: add(f, "README.md", t),
    "the script": lambda f, t: add(f, ".py", t),
    "the public tests": lambda f, t: add({n: r for n, r in f.items() if "test_" in n}, ".py", t),
    "the public settings": lambda f, t: add(f, "public.yml", f"# {t}"),
    "a file's name": lambda f, t: (f"img/{t}.svg", b"<svg/>"),
    "a text of two bytes a letter": lambda f, t: ("notes.txt", f"so: {t}\n".encode("utf-16")),
    "a markdown cell": lambda f, t: notebook(
        f, lambda b: b["cells"].append(a_cell("markdown", f"`{t}`"))
    ),
    "a code cell": lambda f, t: notebook(f, lambda b: b["cells"].append(a_cell("code", t))),
    "a cell's metadata": lambda f, t: notebook(
        f, lambda b: code(b)["metadata"].update(note={"deep": [1, {"a": t}]})
    ),
    "a cell's metadata's key": lambda f, t: notebook(
        f, lambda b: code(b)["metadata"].update({t: 1})
    ),
    "the notebook's metadata": lambda f, t: notebook(
        f, lambda b: b["metadata"].update(authors=[{"name": t}])
    ),
    "an output": lambda f, t: notebook(f, lambda b: code(b)["outputs"].append(output(t))),
    "an output in HTML": lambda f, t: notebook(
        f, lambda b: code(b)["outputs"].append({"data": {"text/html": [tags(t)]}})
    ),
    "an attachment": lambda f, t: notebook(
        f, lambda b: b["cells"][0].update(attachments={"a": {"image/x": encoded(t.encode())}})
    ),
    "an attachment over lines": lambda f, t: notebook(
        f,
        lambda b: b["cells"][0].update(
            attachments={"a": {"image/x": _wrapped(encoded(t.encode()))}}
        ),
    ),
    "a packed attachment": lambda f, t: notebook(
        f, lambda b: b["cells"][0].update(attachments={"a": {"image/x": encoded(zipped(t))}})
    ),
    "a picture within a cell": lambda f, t: notebook(
        f,
        lambda b: b["cells"].append(
            a_cell("markdown", f"![x](data:image/svg+xml;base64,{encoded(tags(t).encode())})")
        ),
    ),
    "a picture within an address": lambda f, t: notebook(
        f, lambda b: b["cells"].append(a_cell("markdown", f"![x](data:image/svg,{quote(t)})"))
    ),
    "a picture": lambda f, t: ("img/a.svg", f"<svg><text>{html.escape(t)}</text></svg>".encode()),
    "a picture, word by word": lambda f, t: ("img/a.svg", tags(t).encode()),
    "a picture in a picture": lambda f, t: (
        "img/a.svg",
        f'<svg><image href="data:image/png;base64,{encoded(png(t))}"/></svg>'.encode(),
    ),
    "a png": lambda f, t: ("img/a.png", png(t)),
    "a zip": lambda f, t: ("student.zip", zipped(t)),
    "a notebook in a zip": lambda f, t: (
        "student.zip",
        in_zip(notebook(f, lambda b: code(b)["outputs"].append(output(t)))[1], "dist/x.ipynb"),
    ),
    "a zip in a zip": lambda f, t: ("student.zip", in_zip(zipped(t), "b.zip")),
    "a member's name": lambda f, t: ("student.zip", zipped("x", name=f"img/{t}.svg")),
    "a zip's comment": lambda f, t: ("student.zip", zipped("x", comment=t)),
    "gzip": lambda f, t: ("a.gz", gzip.compress(t.encode())),
    "a tar": lambda f, t: ("a.tgz", tarred(t)),
    "a tar's member's name": lambda f, t: ("a.tgz", tarred("x", name=f"{t}.txt")),
}


def _wrapped(text: str) -> str:
    """Base64 as mail has it, in short lines."""
    return "\n".join(text[i : i + 20] for i in range(0, len(text), 20))
