"""Writes docs/zoo/, a page for each bug: scripts/zoo_pages.py [--check] [--measure [ID…]]

The pages are made of the catalogue (`autograder/bugs.py`), of what the bugs look like
(`zoo/symptoms.yml`) and of measured runs (`zoo/measured.json`). `--measure` runs the course's own
sample submissions anew (or those of the named bugs), which takes minutes, and writes that file: of
each bug one sample, beside the plainest correct one of the same assignment, with the same seed and
the same built-in digits. An assignment whose program trains is run as it is; one that is made of
functions is driven by a program of `zoo/runs/`. `--check` writes nothing and fails where a page
would change.

No line of a solution stands on a page: what is shown is what a run did.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import importlib.util
import json
import math
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import yaml

from autograder.bugs import BUGS, Bug
from autograder.course import config
from autograder.course.images import cache_folder, showcase
from autograder.grading.grader import Grader
from autograder.intake.collect import collect
from autograder.intake.handout import handouts
from autograder.intake.program import read_program
from autograder.sandbox import Box
from autograder.text import slug
from autograder.watch.findings import Log
from autograder.watch.watcher import Watcher

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "scripts" / "zoo"
PAGES = ROOT / "docs" / "zoo"
MEASURED = SOURCES / "measured.json"
CAP = 1_500_000
"""The most bytes that all pages may have together."""
RUNS: Mapping[str, str | None] = {
    **dict.fromkeys(("wrong_accuracy", "wrong_confusion_matrix", "wrong_per_class_accuracy")),
    **dict.fromkeys(("wrong_history", "wrong_shape", "wrong_value", "missing_name")),
    **dict.fromkeys(("saves_last_not_best", "wrong_checkpoint", "pickles_whole_model")),
    "04": "04.py",
    "05": "",
    "06": "",
    "07": "07.py",
    "scheduler_order": "08-schedule.py",
    "clip_before_unscale": "08-precision.py",
    "clip_no_effect": "08-precision.py",
    "accumulation_not_scaled": "08-accumulate.py",
    "resume_without_state": "08-resume.py",
    "wrong_loss": "09.py",
}
"""What drives a sample, by the bug or by its assignment: a program of zoo/runs/, "" the sample's
own, None nothing, since its steps are healthy and its result is wrong. What is not listed does not
train."""
WATCHED, WATCHED_S = 25, 120.0
"""How many steps of a run are looked at for its beats, and for how long at most: an epoch, its
evaluation and the beginning of the next in most programs."""
OTHER_CONDITIONS = ("wrong_device", "incomplete_seeding")
"""What one run on this machine cannot show."""
REAL = (
    "Real runs of two of the course's samples on its built-in digits, with the same seed. "
    "What rises above the picture is drawn at its upper edge."
)
BEATS = ("zero", "forward", "loss", "backward", "step")
SHOWN_STEPS = 4
"""As many stretches of steps of one phase are shown; a run that varies more says so."""
_EXPLORE = runpy.run_path(str(ROOT / "scripts" / "explore_pages.py"))


# -- measuring -------------------------------------------------------------------------------------


def sample(bug: Bug) -> Path | None:
    """The plainest sample of a bug, from the assignment that teaches it if that has one."""
    found = [
        p
        for p in sorted(ROOT.glob("assignments/*/submissions/bug_*"))
        if p.name.partition("__")[0] == f"bug_{bug.id}" and not p.name.endswith("disguised")
    ]
    own = [p for p in found if p.parts[-3] == bug.assignment]
    return next(iter(own or found), None)


def digest(folder: Path) -> str:
    """What was measured: a hash of a sample's files."""
    found = hashlib.sha256()
    for path in sorted(
        p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    ):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def program(assignment: str) -> str:
    """The file name of an assignment's program."""
    return f"{config.assignment(ROOT / 'assignments' / assignment / 'assignment.yml').module}.py"


def _there(node: ast.Import | ast.ImportFrom) -> bool:
    """Whether what is imported is installed here, and no part of the grader."""
    named = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
    first = (named or "").partition(".")[0]
    return first != "autograder" and importlib.util.find_spec(first) is not None


def defined(cells: Sequence[str]) -> str:
    """What a notebook defines: imports, functions, classes, and values made of imports alone."""
    known, kept = set(dir(builtins)), []
    for cell in cells:
        lines = "\n".join(k for k in cell.splitlines() if not k.startswith(("%", "!")))
        for node in ast.parse(lines).body:
            names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
            imports = isinstance(node, ast.Import | ast.ImportFrom | ast.Try)
            loaded = {n.id for n in names if isinstance(n.ctx, ast.Load)}
            value = isinstance(node, ast.Assign) and loaded <= known
            if imports:
                aliases = [n for n in ast.walk(node) if isinstance(n, ast.alias)]
                if isinstance(node, ast.Import | ast.ImportFrom) and not _there(node):
                    continue
                known |= {(n.asname or n.name).partition(".")[0] for n in aliases}
            elif value:
                known |= {n.id for n in names}
            elif not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            kept.append(ast.unparse(node))
    return "\n".join(kept) + "\n"


def laid_out(folder: Path, driver: str, into: Path) -> Path:
    """A sample beside what drives it, with the digits as its data; returns the file to run."""
    shutil.copytree(folder, into, dirs_exist_ok=True)
    path = into / program(folder.parts[-3])
    if not path.exists():  # a notebook: what it defines, without the cells that only look at it
        notebook = path.with_suffix(".ipynb")
        cells = read_program(notebook.name, notebook.read_bytes())[0].cells
        path.write_text(defined(cells))
        notebook.unlink()
    if not driver:
        return path
    return Path(shutil.copy(SOURCES / "runs" / driver, into / "run.py"))


def recorded(path: Path) -> dict[str, Any]:
    """What `zoo/losses.py` writes down of a program that `laid_out` made."""
    data, out = path.parent / "data", path.parent / "recorded.json"
    shutil.copytree(showcase(cache_folder() / "data"), data, dirs_exist_ok=True)
    subprocess.run(
        [sys.executable, str(SOURCES / "losses.py"), path.name, str(out)],
        cwd=path.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    told: dict[str, Any] = json.loads(out.read_text())
    return told


def run(folder: Path, driver: str, watcher: Watcher) -> dict[str, Any]:
    """What one sample's run shows: its losses, its beats, what PyTorch said, what watch found."""
    with tempfile.TemporaryDirectory() as scratch:
        path = laid_out(folder, driver, Path(scratch, "run"))
        seen = watcher.watch(path, seconds=WATCHED_S, steps=WATCHED)
        rows = []
        for row in seen.rows:
            beats = [[a, b, list(order)] for a, b, order in row.steps]
            told = {
                "kind": row.kind,
                "batches": row.batches,
                "mode": row.mode,
                "graph": row.graph,
                "steps": beats[:SHOWN_STEPS],
                "more": max(0, len(beats) - SHOWN_STEPS),
            }
            if told not in rows:
                rows.append(told)
        measured = recorded(path)
    return {
        "losses": [_rounded(v) for v in measured["losses"]],
        "said": [s.replace(scratch, "") for s in measured["said"]],
        "rows": rows[:4],
        "watch": sorted({f.bug for f in seen.findings if f.kind == "bug"}),
    }


def _rounded(value: float) -> float | None:
    """Four digits, which is more than a chart can show; None for what JSON has no word for."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def caught(folder: Path, bug: str, grader: Grader) -> dict[str, Any]:
    """How the grader names the bug in a sample: the task, and the words of the first check."""
    spec = grader.assignment(folder.parts[-3])
    known = {spec.id: spec.module}
    found, _ = collect([folder], spec.id, known, handouts(grader.root, known))
    (submission,) = found
    result = grader.grade(submission).result
    task = {c.id: c.task for c in spec.checks}
    for check in result.checks:
        if bug in check.bugs:
            return {"task": task[check.id], "message": check.message}
    return {}


class _Watcher(Watcher):
    """Runs a program under other conditions too only where `again` says so: one that knows neither
    device nor seed of its own behaves there as it does here.
    """

    again = False

    def _again(self, box: Box, log: Log, *asked: Any) -> Log:
        return super()._again(box, log, *asked) if self.again else log


def measure(ids: Sequence[str]) -> None:
    """Measure every bug's sample, and every healthy run that one is shown beside; only those named,
    if any are, and the others stay as they were measured before. Kept after each.
    """
    there = json.loads(MEASURED.read_text(encoding="utf-8")) if ids else {}
    out: dict[str, Any] = {"healthy": there.get("healthy", {}), "bugs": there.get("bugs", {})}
    with _Watcher() as watcher, Grader(ROOT) as grader:
        for bug in BUGS.values():
            folder = sample(bug)
            if folder is None or (ids and bug.id not in ids):
                continue
            print(bug.id, folder.name, file=sys.stderr, flush=True)
            assignment = folder.parts[-3]
            driver = RUNS.get(bug.id, RUNS.get(assignment[:2]))
            told: dict[str, Any] = {"sample": folder.name, "digest": digest(folder)}
            told |= {"assignment": assignment, **caught(folder, bug.id, grader)}
            if driver is not None:
                key = driver.removesuffix(".py") or assignment
                watcher.again = bug.id in OTHER_CONDITIONS
                if key not in out["healthy"]:
                    out["healthy"][key] = run(folder.parent / "correct_plain", driver, watcher)
                told |= {"healthy": key, **run(folder, driver, watcher)}
            out["bugs"][bug.id] = told
            save(out)


def save(measured: Mapping[str, Mapping[str, Any]]) -> None:
    """Write measured.json, a line for each run."""
    parts = []
    for part, runs in sorted(measured.items()):
        lines = [
            f"{json.dumps(name)}:{json.dumps(told, separators=(',', ':'), ensure_ascii=False)}"
            for name, told in sorted(runs.items())
        ]
        parts.append(f"{json.dumps(part)}:{{\n" + ",\n".join(lines) + "\n}")
    MEASURED.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


# -- drawing ---------------------------------------------------------------------------------------


def ticks(low: float, high: float) -> list[float]:
    """Five or so round numbers between `low` and `high`, 0 among them where it lies there."""
    step = 10 ** math.floor(math.log10((high - low) / 2))
    step *= next(k for k in (1, 2, 5) if (high - low) / (step * k) <= 6)
    first = math.ceil(low / step)
    return [float(f"{k * step:.6g}") for k in range(first, math.floor(high / step) + 1)]


def chart(healthy: Sequence[float | None], buggy: Sequence[float | None], says: str) -> str:
    """Both runs' losses, batch by batch, as an SVG; what is higher than the picture stands at its
    upper edge.
    """
    w, h, left, right, top, bottom = 560, 270, 50, 14, 28, 40
    known = [v for v in (*healthy, *buggy) if v is not None]
    low = min(0.0, *known)
    high = max(max(v for v in healthy if v is not None) * 2.2, 0.01)
    high = min(high, max(known) * 1.06) if max(known) > 0 else high
    long = max(len(healthy), len(buggy), 2)

    def place(k: int, value: float | None) -> str:
        value = high if value is None else min(max(value, low), high)
        x = left + (w - left - right) * k / (long - 1)
        y = h - bottom - (h - top - bottom) * (value - low) / (high - low)
        return f"{x:.1f},{y:.1f}"

    body = []
    for mark in ticks(low, high):
        y = place(0, mark).partition(",")[2]
        body.append(f'<line class="grid" x1="{left}" x2="{w - right}" y1="{y}" y2="{y}"/>')
        body.append(
            f'<text x="{left - 6}" y="{float(y) + 5:.1f}" text-anchor="end">{mark:g}</text>'
        )
    body.append('<text x="4" y="16">loss of the batch</text>')
    body.append(f'<text x="{(left + w) / 2}" y="{h - 8}" text-anchor="middle">batch</text>')
    for at in (1, (long + 1) // 2, long):
        x = place(at - 1, 0).partition(",")[0]
        body.append(f'<text x="{x}" y="{h - bottom + 18}" text-anchor="middle">{at}</text>')
    for values, colour in ((healthy, "blue"), (buggy, "red")):
        points = " ".join(place(k, v) for k, v in enumerate(values))
        dash = ' stroke-dasharray="7 4"' if colour == "red" else ""
        body.append(f'<polyline class="line s-{colour}"{dash} points="{points}"/>')
    return (
        f'<svg viewBox="0 0 {w} {h}" role="img" aria-label="{escape(says)}">{"".join(body)}</svg>'
    )


def number(value: float | None) -> str:
    """A loss as it is written on a page."""
    if value is None:
        return "nan or infinite"
    return f"{value:,.3f}".replace("-", "\u2212") if abs(value) < 1e5 else f"{value:.1e}"


def table(healthy: Sequence[float | None], buggy: Sequence[float | None]) -> str:
    """Both losses at the first, a middle and the last batch."""
    long = min(len(healthy), len(buggy))
    at = sorted({1, (long + 1) // 2, long})
    head = "".join(f"<th>batch {k}</th>" for k in at)
    rows = "".join(
        f"<tr><td>{name}</td>{''.join(f'<td>{number(v[k - 1])}</td>' for k in at)}</tr>"
        for name, v in (("healthy", healthy), ("with the bug", buggy))
    )
    whole = f"<table><thead><tr><th>loss</th>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="scroll">{whole}</div>'


def beats(rows: Sequence[Mapping[str, Any]]) -> str:
    """The beat strip of a run: each phase, and what its steps did, in order."""
    out, met = [], []
    for row in rows:
        like = row["kind"], row["mode"], row["graph"], [order for _, _, order in row["steps"]]
        if like in met:  # a shorter or longer stretch of the same
            continue
        met.append(like)
        graph = "with a graph" if row["graph"] else "no graph"
        batches = f"{row['batches']} {'batch' if row['batches'] == 1 else 'batches'}"
        lines = [f"<b>{row['kind']}</b>, {batches}, {row['mode']} mode, {graph}"]
        for first, last, order in row["steps"]:
            steps = f"step {first}" if first == last else f"steps {first} to {last}"
            chips = "".join(
                f'<span class="beat b-{b if b in BEATS else "other"}">{escape(b)}</span>'
                for b in order
            )
            missing = [b for b in BEATS if b not in order]
            gone = f'<span class="gone">no {", no ".join(missing)}</span>' if missing else ""
            lines.append(f'<span class="steps">{steps}</span>{chips}{gone}')
        if row["more"]:
            lines.append(f'<span class="steps">and {row["more"]} more stretches</span>')
        out.append(f"<li>{'<br>'.join(lines)}</li>")
    return f'<ul class="strip">{"".join(out)}</ul>'


# -- pages -----------------------------------------------------------------------------------------


def symptoms() -> dict[str, list[str]]:
    """What a person sees first, and which bugs look like that."""
    told = yaml.safe_load((SOURCES / "symptoms.yml").read_text(encoding="utf-8"))
    return {str(words): list(ids) for words, ids in told.items()}


def look_alikes(bug: str) -> dict[str, list[str]]:
    """The bugs that share a symptom with this one, by symptom."""
    return {s: [i for i in ids if i != bug] for s, ids in symptoms().items() if bug in ids}


def marked(text: str) -> str:
    """A text of the catalogue or of the grader, with its code marked."""
    parts = escape(text, quote=False).split("`")
    return "".join(f"<code>{p}</code>" if k % 2 else p for k, p in enumerate(parts))


def page(bug: Bug, measured: Mapping[str, Any]) -> str:
    """One bug's page."""
    told = measured["bugs"].get(bug.id, {})
    alike = look_alikes(bug.id)
    out = [
        '<p class="kicker"><a href="index.html">The bug zoo</a></p>',
        f"<h1><code>{bug.id}</code></h1>",
        f'<p class="lead">{marked(bug.meaning)}</p>',
        "<h2>What you may notice</h2>",
        "<ul>" + "".join(f"<li>{escape(s)}.</li>" for s in alike) + "</ul>",
    ]
    if told.get("losses"):
        healthy, buggy = measured["healthy"][told["healthy"]]["losses"], told["losses"]
        shared = min(len(healthy), len(buggy))
        same = healthy[:shared] == buggy[:shared]
        says = (
            f"Loss of each batch. Healthy: from {number(healthy[0])} to {number(healthy[-1])}. "
            f"With the bug: from {number(buggy[0])} to {number(buggy[-1])}."
        )
        out += [
            "<h2>The loss, beside a healthy run</h2>",
            '<p class="key"><b class="c-blue">healthy</b><b class="c-red">with the bug</b></p>',
            chart(healthy, buggy, says),
            table(healthy, buggy),
            "<p>Both curves are the same to the last digit shown: the loss says nothing.</p>"
            if same
            else "",
            f'<p class="kicker">{REAL}</p>',
        ]
    if told.get("rows"):
        out += [
            "<h2>What each step did</h2>",
            beats(told["rows"]),
            "<p>A healthy run of the same assignment:</p>",
            beats(measured["healthy"][told["healthy"]]["rows"][:2]),
        ]
    if "said" in told:
        own = [s for s in told["said"] if s not in measured["healthy"][told["healthy"]]["said"]]
        words = "".join(f'<blockquote class="said">{escape(s)}</blockquote>' for s in own)
        out += [
            "<h2>What PyTorch says</h2>",
            words or "<p>Nothing. The program runs to its end without a warning.</p>",
        ]
    if told.get("message"):
        out += [
            "<h2>What would have told</h2>",
            f"<blockquote>{marked(told['message'])}</blockquote>",
        ]
    out += [
        "<h2>Why</h2>",
        f"<p>Whoever writes it probably believes: “{marked(bug.belief)}”</p>",
        f"<p>A question that helps: <b>{marked(bug.question)}</b></p>",
        f"<p>{marked(bug.help)}</p>",
        "<h2>Looks like it</h2>",
        *(
            f"<p>{escape(s)}: {', '.join(_link(i) for i in ids)}.</p>"
            for s, ids in alike.items()
            if ids
        ),
        "<h2>Where the course catches it</h2>",
        f"<p>{caught_by(bug, told)}</p>",
    ]
    return _html(bug.id, "\n".join(line for line in out if line))


def _link(bug: str) -> str:
    return f'<a href="{slug(bug)}.html"><code>{bug}</code></a>'


def caught_by(bug: Bug, told: Mapping[str, Any]) -> str:
    """Where the course teaches and catches a bug, in words."""
    words = []
    if bug.taught:
        words.append(f"Assignment {bug.assignment[:2]}, task {bug.task}, teaches it.")
    if told.get("message"):
        words.append(
            f"This sample was caught in assignment {told['assignment'][:2]}, task {told['task']}."
        )
    if bug.id in told.get("watch", []):
        words.append("<code>autograder watch</code> names it in this run, without any assignment.")
    if not told:
        words.append("No sample of the course has it.")
    return " ".join(words)


def index(measured: Mapping[str, Any]) -> str:
    """The list of all bugs, by what one notices, with a field to search in."""
    parts, met = [], set()
    for words, ids in symptoms().items():
        items = []
        for i in ids:
            if i in met:
                continue
            met.add(i)
            told = measured["bugs"].get(i, {})
            also = [s for s in look_alikes(i) if s != words]
            says = " ".join(told.get("said", []))
            items.append(
                f"<li>{_link(i)}<p>{marked(BUGS[i].meaning)}</p>"
                f'<p class="kicker">{escape("; ".join([*also, says]).strip("; "))}</p></li>'
            )
        if items:
            parts.append(
                f'<section><h2>{escape(words)}</h2><ul class="list">{"".join(items)}</ul></section>'
            )
    body = f"""\
<h1>The bug zoo</h1>
<p class="lead">Each bug that the course can name, caught alive: what one notices, the loss beside
a healthy run with the same seed, what each step did, what PyTorch said, and what would
have told. Search for what you see: <i>stays where it began</i>, <i>negative</i>, <i>memory</i>.</p>
<p hidden><label>Search <input class="find" id="find" type="search" autocomplete="off"></label> \
<output id="count" aria-live="polite"></output></p>
{"".join(parts)}"""
    return _html("The bug zoo", body, (SOURCES / "zoo.js").read_text(encoding="utf-8"))


def _html(title: str, body: str, script: str = "") -> str:
    style = (_EXPLORE["SOURCES"] / "shared.css").read_text(encoding="utf-8")
    style += (SOURCES / "zoo.css").read_text(encoding="utf-8")
    made: str = _EXPLORE["html"](title, body, script, style)
    return made


def pages() -> dict[str, str]:
    """Every file of docs/zoo/, by its name."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))
    made = {f"{slug(b.id)}.html": page(b, measured) for b in BUGS.values()}
    return {"index.html": index(measured), **made}


def main(words: Sequence[str]) -> int:
    """Measure where asked to, and write the pages, or only say which of them are stale."""
    if "--measure" in words:
        measure([w for w in words if not w.startswith("--")])
    stale: int = _EXPLORE["write"](PAGES, pages(), "--check" in words)
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
