"""Writes docs/explore/, pages to play with, from scripts/explore/: python scripts/explore_pages.py

A source is one HTML file: lines `key: value` (title, handout, task, summary), a blank line, the
page's body, and one <script>. What all pages share, their look (`shared.css`), charts, controls and
a network small enough to train in a browser (`shared.js`), is put into each of them, so that a page
is one file that needs no network. Its content policy allows that style and that script, by their
hashes, and nothing else. `--check` writes nothing and fails where a page would change.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from autograder.course import config

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "scripts" / "explore"
PAGES = ROOT / "docs" / "explore"
CAP = 40_000
"""The most bytes that a page may have: it is handed around, and read on phones."""
ORDER = (
    "gradient",
    "buckets",
    "probability",
    "valley",
    "order",
    "two-circles",
    "zero-grad",
    "schedules",
    "step-47",
    "shapes",
)
"""The pages, in the order in which the course needs them."""
INTRO = """\
<p class="lead">Each page shows one idea of the course and lets you turn it over in your hands.
Guess first, then look. Nothing is installed and nothing is sent anywhere: a page is one file and
works without a network, with a mouse, with a finger and with the keyboard. What there is to see
also stands on it in words and numbers.</p>"""


@dataclass(frozen=True)
class Source:
    """One page before it is put together; `script` is "" where it has none."""

    name: str
    title: str
    handout: str
    task: str
    summary: str
    body: str
    script: str


def source(name: str) -> Source:
    """The source of a page, by its name."""
    head, _, rest = (SOURCES / f"{name}.html").read_text(encoding="utf-8").partition("\n\n")
    keys = dict(line.split(": ", 1) for line in head.splitlines())
    body, _, script = rest.partition("<script>\n")
    return Source(name, **keys, body=body.strip(), script=script.partition("</script>")[0])


def allowed(text: str) -> str:
    """How a content policy names a style or a script: by the hash of its text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def html(title: str, body: str, script: str = "", style: str | None = None) -> str:
    """A whole page; all that it may run or be styled by is in it."""
    style = (SOURCES / "shared.css").read_text(encoding="utf-8") if style is None else style
    policy = f"default-src 'none'; style-src {allowed(style)}; base-uri 'none'; form-action 'none'"
    policy += f"; script-src {allowed(script)}" if script else ""
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Five Beats</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
{f"<script>{script}</script>" if script else ""}
</body>
</html>
"""


def page(name: str) -> str:
    """One page of docs/explore/."""
    made = source(name)
    number = made.handout[:2]
    title = config.assignment(ROOT / "assignments" / made.handout / "assignment.yml").title
    handout = f"../../release/{made.handout}/README.md"
    body = f"""\
<p class="kicker"><a href="index.html">Pages to play with</a> · \
<a href="{handout}">assignment {number}, {escape(title)}</a>, task {made.task}</p>
<h1>{escape(made.title)}</h1>
{made.body}
<footer>One file, no network, the same numbers on every machine. The chart needs JavaScript; the
words above do not.</footer>"""
    shared = (SOURCES / "shared.js").read_text(encoding="utf-8")
    return html(made.title, body, f"\n{shared}{made.script}")


def index() -> str:
    """The list of the pages."""
    items = []
    for name in ORDER:
        made = source(name)
        items.append(
            f'<li><a href="{name}.html">{escape(made.title)}</a>'
            f'<p>{escape(made.summary)}</p><p class="kicker">assignment {made.handout[:2]}, '
            f"task {made.task}</p></li>"
        )
    lines = "\n".join(items)
    return html(
        "Pages to play with",
        f'<h1>Pages to play with</h1>\n{INTRO}\n<ul class="pages">\n{lines}\n</ul>',
    )


def pages() -> dict[str, str]:
    """Every file of docs/explore/, by its name."""
    return {"index.html": index(), **{f"{name}.html": page(name) for name in ORDER}}


def write(folder: Path, made: Mapping[str, str], check: bool) -> int:
    """Make `folder` hold these pages and no other, or only say which files would change."""
    there = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.html")}
    stale = sorted(n for n in made.keys() | there.keys() if made.get(n) != there.get(n))
    if check:
        print("\n".join(stale), end="\n" if stale else "")
        return int(bool(stale))
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in made:
            (folder / name).write_text(made[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(write(PAGES, pages(), "--check" in sys.argv[1:]))
