"""How pages are made: jinja2 with everything escaped, and a content policy that names our bytes.

A page is a single file without outside resources. Its style and its one script stand in it, and the
policy allows them by their hashes and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> jinja2.Environment:
    """The templates, with `style`, `script`, their hashes, and the filter `code`."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("style.css", "table.js"):
        text = (TEMPLATES / name).read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        kind = "style" if name.endswith("css") else "script"
        # Markup is safe here: it is our own file, and the content policy names its very bytes.
        env.globals[kind] = Markup(text)  # noqa: S704
        env.globals[f"{kind}_hash"] = Markup(f"sha256-{digest}")  # noqa: S704
    env.filters["code"] = _code
    return env


def _code(text: str) -> Markup:
    """Escaped text in which what stands between backticks is set as code."""
    escaped = str(escape(text))
    return Markup(re.sub(r"`([^`]{1,200})`", r"<code>\1</code>", escaped))  # noqa: S704 - escaped
