"""The tables of docs/devices.md, from what `autograder calibrate` committed."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import yaml

from autograder.checks.accuracy import from_accuracies, luck

ROOT = Path(__file__).resolve().parent.parent


def tables() -> dict[str, str]:
    """A table in Markdown for each committed calibration, by assignment and key."""
    found = {}
    for path in sorted(ROOT.glob("assignments/*/calibration.yml")):
        for key, row in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found[f"{path.parent.name} {key}"] = _table(row)
    return found


def _table(row: dict[str, Any]) -> str:
    a = row["accuracies"]
    known, told = from_accuracies(a), row.get("measured", {})
    head = (
        f"{row['dataset']}, {told.get('device', '?')}, torch {told.get('torch', '?')}, "
        f"Python {told.get('python', '?')}, {told.get('threads', '?')} thread, "
        f"{told.get('date', '?')}: {len(a)} runs of the reference, mean {statistics.fmean(a):.4f}, "
        f"deviation {statistics.stdev(a):.4f}, luck {luck(a):.4f}; full marks from "
        f"**{known.threshold:.4f}**, none below {known.floor:.4f}."
    )
    lines = [head, "", "| program | lowest | mean | highest | named by |", "|---|---|---|---|---|"]
    lines.append(f"| the reference | {_three(a)} | |")
    correct = row.get("correct", {})
    lines += [f"| {name} | {_three(one['accuracies'])} | |" for name, one in correct.items()]
    for name, one in row.get("wrong", {}).items():
        by = ", ".join(f"`{check}`" for check in one["named"]) or "nothing"
        lines.append(f"| *{name}* | {_three(one['accuracies'])} | {by} |")
    return "\n".join(lines)


def _three(accuracies: list[float | str]) -> str:
    a = [x for x in accuracies if isinstance(x, float)]
    if not a:
        return "- | - | -"
    return " | ".join(f"{x:.3f}" for x in (min(a), statistics.fmean(a), max(a)))


if __name__ == "__main__":
    for name, table in tables().items():
        print(f"### {name.split(maxsplit=1)[0]}\n\n{table}\n")
