"""What every test may rely on: the built-in images, one thread, no window, no network of ours.

FIVE_BEATS_DATA, where it is set, chooses other images for the tests that train; the tests
that state figures of the built-in digits ask for those by name.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from autograder.sandbox.container import engine_options

collect_ignore = ["corpus"]  # samples, whatever a script of them is called

# Before torch or matplotlib is imported by a test module, and for every child process.
os.environ.setdefault("FIVE_BEATS_DATA", "embedded")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"


ENGINE = os.environ.get("FIVE_BEATS_ENGINE", "podman")
"""The container engine that the tests of boxes, attacks and classes go through."""


@pytest.fixture(scope="session")
def engine_image() -> str:
    """The box's image, built for real where it is not there yet.

    The base is FIVE_BEATS_IMAGE_BASE where set, else made by debootstrap from this machine's own
    package source, so that no image registry is needed. One process builds, others wait.
    """
    from autograder.sandbox import image
    from autograder.sandbox.auto import engine_works
    from autograder.sandbox.container import IMAGE

    lock = Path(tempfile.gettempdir()) / "five-beats-image.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        engine_works.cache_clear()
        if not engine_works(ENGINE):
            base = os.environ.get("FIVE_BEATS_IMAGE_BASE") or _debian_base()
            image.build(ENGINE, IMAGE, base)
        engine_works.cache_clear()
        assert engine_works(ENGINE), f"{ENGINE} cannot run the image it built: autograder doctor"
    return IMAGE


def _debian_base() -> str:
    """A minimal Debian with Python, imported into the engine from a debootstrap folder."""
    name = "localhost/five-beats-base"
    engine = [ENGINE, *engine_options()]
    known = [*engine, "image", "inspect", name]
    found = subprocess.run(known, check=False, capture_output=True)
    if found.returncode == 0:
        return name
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        packages = "--include=python3,python3-venv"
        root = Path(folder) / "root"
        made = ["debootstrap", "--variant=minbase", packages, "bookworm", str(root)]
        subprocess.run(made, check=True, capture_output=True)
        tar = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(
            [*engine, "import", "-", name],
            stdin=tar.stdout,
            check=True,
            capture_output=True,
        )
        assert tar.stdout is not None
        tar.stdout.close()
        assert tar.wait() == 0
    return name


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs root or a GPU where there is none; the summary counts it. Keep the tests
    of a file on one worker, as `--dist loadgroup` does with groups, unless they state a group.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
    without = {"root"} if os.getuid() != 0 else set()
    if any(item.get_closest_marker("gpu") for item in items):
        import torch

        if not torch.cuda.is_available():
            without.add("gpu")
    left_out = [i for i in items if any(i.get_closest_marker(name) for name in without)]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
