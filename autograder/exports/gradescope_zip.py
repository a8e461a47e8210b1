"""The zip that Gradescope takes as an autograder.

    setup.sh                  run once, as root, when Gradescope builds the image
    run_autograder            run for every submission, as root
    grader/                   this package with its versions pinned, and of the course
      grading_config.yml      its rules
      assignments/<id>/       the hidden half of the one assignment: checks, thresholds and what
                              the reference answers to their questions
      source/<id>/given/      the files that its handout gives
      data/                   the images, where they are not the built-in digits

Theory. Gradescope grades in its container as root, beside the submission. There neither
namespaces nor an engine can be had, so a submission runs under a user id of its own (the `uid`
sandbox), and everything that is not meant for it is closed to other users: the grader's folder
may be walked through to `inside`, which enters every box, and to nothing else. The image's Python
environment lies open, as any program needs it; no judge, label or expected value is in it. The
solution is not in the zip: its accuracies, from which the thresholds follow, are carried along.

The zip's bytes follow from the files it is made of.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

from ..authoring.master import given_files
from ..checks import own
from ..checks.by_hand import NAME as BY_HAND
from ..course import config
from ..course.images import FILES, FOLDERS, find_root
from ..errors import InputError
from ..text import number
from .base import Package, archive

CHECKOUT = Path(__file__).resolve().parent.parent.parent
"""Where this package's own project files lie."""
PROJECT = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "scripts/setup.sh")

SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this once, as root, while it builds the image. Settings, for a trial elsewhere:
#   FIVE_BEATS_HOME     where the grader is put (/opt/five-beats)
#   FIVE_BEATS_PYTHON   a Python that has everything already; without it an environment is made
#   TORCH_INDEX         where pip finds torch (its CPU builds)
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")" && pwd)
home=${FIVE_BEATS_HOME:-/opt/five-beats}
python=${FIVE_BEATS_PYTHON:-}

rm -rf "$home/grader"
mkdir -p "$home"
cp -R "$here/grader" "$home/grader"

if [ -z "$python" ]; then
  export DEBIAN_FRONTEND=noninteractive VENV="$home/venv"
  export TORCH_INDEX=${TORCH_INDEX-https://download.pytorch.org/whl/cpu}
  fits() { command -v "$1" >/dev/null && "$1" -c 'import sys, venv, ensurepip; \
sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }
  apt-get update -q
  for version in python3 python3.13 python3.12 python3.11; do
    fits "$version" && break
    apt-get install -y -q "$version" "$version-venv" || continue
    fits "$version" && break
  done
  bash "$home/grader/scripts/setup.sh"
  python=$home/venv/bin/python
  if [ -s "$here/modules.txt" ]; then "$python" -m pip install -q -r "$here/modules.txt"; fi
fi
printf '%s\\n' "$python" >"$home/python"

# What is not meant for a submission is closed to its user; `inside` enters every box.
chmod -R u=rwX,go= "$home/grader" "$here"
chmod 711 "$home/grader" "$home/grader/autograder"
chmod -R go=rX "$home/grader/autograder/inside"
chmod 755 "$home"

PYTHONPATH="$home/grader" "$python" -P -m autograder.gradescope --try
"""

RUN = """\
#!/usr/bin/env bash
# Gradescope runs this for every submission, as root. GRADESCOPE_ROOT is for a trial elsewhere.
home=${FIVE_BEATS_HOME:-/opt/five-beats}
export PYTHONPATH="$home/grader" OMP_NUM_THREADS=1
exec "$(cat "$home/python")" -P -m autograder.gradescope "${GRADESCOPE_ROOT:-/autograder}"
"""


def package(order: Package, carried: Mapping[str, bytes]) -> list[str]:
    """Write the zip of `order.assignment`; returns what to print.

    `carried` are files of the assignment's folder that it takes along: its calibration.yml, and
    what the reference answers. Raises `InputError` where this package is
    installed without its project files, which the zip needs.
    """
    spec = config.assignment(order.root / "assignments" / order.assignment / "assignment.yml")
    target = order.to or order.root / "build" / "gradescope" / f"{order.assignment}.zip"
    members = {"setup.sh": SETUP.encode(), "run_autograder": RUN.encode()}
    members |= {f"grader/{name}": raw for name, raw in _grader().items()}
    members["grader/grading_config.yml"] = (order.root / "grading_config.yml").read_bytes()
    wanted = config.requirements(config.modules_of(order.root))
    if wanted:
        members["modules.txt"] = ("\n".join(wanted) + "\n").encode()
    hidden = f"grader/assignments/{spec.id}"
    members[f"{hidden}/assignment.yml"] = (
        order.root / "assignments" / spec.id / "assignment.yml"
    ).read_bytes()
    own_files = {**own.files(spec.folder), **carried}
    members |= {f"{hidden}/{name}": raw for name, raw in own_files.items()}
    source = f"source/{spec.id}"
    beside = given_files(order.root / source)
    members |= {f"grader/{source}/given/{name}": raw for name, raw in beside.items()}
    given = f"release/{spec.id}/{spec.module}.ipynb"  # beside which notebooks are read
    if (order.root / given).is_file():
        members[f"grader/{given}"] = (order.root / given).read_bytes()
    images = _images(order.root, spec)
    members |= images
    scripts = ("setup.sh", "run_autograder", "grader/scripts/setup.sh")
    archive(target, members, dict.fromkeys(scripts, 0o755))
    size = target.stat().st_size / 2**20
    told = "its images are in it" if images else "it grades on the built-in digits"
    by_hand = sum(c.points for c in spec.checks if c.key == BY_HAND)
    most = number(spec.points - by_hand)
    said = [
        f"{target}: {len(members)} files, {size:.1f} MiB; {told}",
        f"in Gradescope: Configure Autograder, upload it, and set {most} points",
    ]
    if by_hand:
        said.append(f"{number(by_hand)} points are given by hand: switch manual grading on there")
    return said


def _grader() -> dict[str, bytes]:
    """This package and its project files, by path."""
    missing = [name for name in PROJECT if not (CHECKOUT / name).is_file()]
    if missing:
        raise InputError(
            f"lacks {', '.join(missing)}, which the zip needs",
            where=CHECKOUT,
            remedy="run this from a checkout of the project",
        )
    found = {name: (CHECKOUT / name).read_bytes() for name in PROJECT}
    folder = CHECKOUT / "autograder"
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if any(p == "__pycache__" or p.startswith(".") for p in inner.parts):
            continue
        if path.is_file():
            found[f"autograder/{inner.as_posix()}"] = path.read_bytes()
    return found


def _images(root: Path, spec: config.Assignment) -> dict[str, bytes]:
    """The files of the data set that the course grades on, packed; none for the built-in digits."""
    if spec.data is None:
        return {}
    found = find_root(spec.data.dataset, None, config.course(root).data)
    if found is None:
        return {}
    members = {}
    raw = Path(FOLDERS[spec.data.dataset]) / "raw"
    for name in FILES:
        plain = found / raw / name
        packed = (
            gzip.compress(plain.read_bytes(), mtime=0)
            if plain.is_file()
            else plain.with_name(f"{name}.gz").read_bytes()
        )
        members[f"grader/data/{raw.as_posix()}/{name}.gz"] = packed
    return members
