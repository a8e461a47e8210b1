"""docs/your-first-assignment.md, run word by word: every command, every file, every line shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "your-first-assignment.md"
BLOCK = re.compile(r"```(?P<kind>console|python|yaml)\n(?P<text>.*?)```\n", re.DOTALL)
ADDED = re.compile(r"Add to the end of\s+`(?P<path>[^`]+)`:\s*$")


def steps() -> list[tuple[str, str, str]]:
    """What the page has a reader do, in order: ("add", path, text) or ("run", command, shown)."""
    page = PAGE.read_text(encoding="utf-8")
    found: list[tuple[str, str, str]] = []
    for block in BLOCK.finditer(page):
        if block["kind"] != "console":
            told = ADDED.search(page[: block.start()].rstrip())
            assert told is not None, f"no file is named for: {block['text'][:60]}"
            found.append(("add", told["path"], block["text"]))
            continue
        for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append(("run", command, shown))
    return found


def matches(shown: str, output: str) -> bool:
    """Whether all lines that are shown stand in an output, where … may be anything."""
    have = [line.rstrip() for line in output.splitlines()]

    def there(line: str) -> bool:
        parts = [re.escape(p) for p in line.rstrip().split("…")]
        return any(re.fullmatch(".*".join(parts), other) for other in have)

    return all(there(line) for line in shown.splitlines() if line.strip())


def test_the_page_shows_what_matters() -> None:
    commands = [what for kind, what, _ in steps() if kind == "run"]
    assert sum(c.startswith("autograder ") for c in commands) >= 6
    assert matches("a … c\n", "x\na b c\n") and not matches("a … d\n", "a b c\n")


@pytest.mark.slow
@pytest.mark.sandbox
def test_every_word_of_the_page_is_true(tmp_path: Path) -> None:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    env |= {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    here = tmp_path
    for kind, what, text in steps():
        if kind == "add":
            with (here / what).open("a", encoding="utf-8") as file:
                file.write(text)
            continue
        script = f"{what}\nstatus=$?\npwd > {tmp_path / 'pwd'}\nexit $status"
        done = subprocess.run(
            ["bash", "-c", script], cwd=here, env=env, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        assert matches(text, said), f"$ {what}\n{said}"
        assert done.returncode == 0 or "autograder: " in text, f"$ {what}\n{said}"
        here = Path((tmp_path / "pwd").read_text().strip())
