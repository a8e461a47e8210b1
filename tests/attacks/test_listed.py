"""docs/security.md lists the attacks that are tried: all of them, and no other.

python tests/attacks/test_listed.py     writes the list anew
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.attacks.forge import FORGE  # noqa: E402 - run as a script, too
from tests.attacks.harm import HARM  # noqa: E402
from tests.attacks.reach import REACH  # noqa: E402
from tests.attacks.test_injection import INJECTIONS  # noqa: E402

PAGE = ROOT / "docs" / "security.md"
HEAD = "## The attacks that were tried"


def listed() -> str:
    """The list, as it must stand at the end of the page."""
    parts = []
    for title, attacks in (
        ("To reach something", REACH),
        ("To forge a score", FORGE),
        ("To harm", HARM),
    ):
        rows = "\n".join(f"- `{a.name}`: {a.harm}" for a in attacks)
        parts.append(f"### {title} ({len(attacks)})\n\n{rows}\n")
    names = ", ".join(f"`{name}`" for name in INJECTIONS)
    parts.append(
        f"### To act on whoever reads the results ({len(INJECTIONS)})\n\n"
        f"In a name, a file's name, printed text, an error and a message: {names}.\n"
    )
    return "\n".join(parts)


def test_the_page_lists_what_is_tried() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith("\n\n" + listed()), (
        "run: python tests/attacks/test_listed.py"
    )
    assert len(REACH) + len(FORGE) + len(HARM) >= 50


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(HEAD)
    intro = rest.partition("\n### ")[0].strip()
    PAGE.write_text(f"{before}{HEAD}\n\n{intro}\n\n{listed()}", encoding="utf-8")
