"""`import torchvision` in every process of an environment: `inside/torchvision_compat.py`.

Each test starts a Python without site-packages' own `.pth` files, so that what this machine has
installed already helps nobody.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from autograder.inside import torchvision_compat

START = f"import site, sys\nsys.path.append({sysconfig.get_path('purelib')!r})\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site-packages of its own with the hook in it."""
    torchvision_compat.install(tmp_path)
    return tmp_path


def python(code: str, cwd: Path) -> str:
    """What code prints in a bare Python; its last words where it fails."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", START + code],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def test_the_hook_makes_a_plain_import_work(site: Path, tmp_path: Path) -> None:
    used = "from torchvision import datasets, transforms; print(datasets.MNIST.__name__)"
    assert python(f"site.addsitedir({str(site)!r})\n{used}", tmp_path) == "MNIST"


def test_it_imports_nothing_before_torchvision_is_imported(site: Path, tmp_path: Path) -> None:
    code = f"""
before = set(sys.modules)
site.addsitedir({str(site)!r})
import importlib.util, json
found = importlib.util.find_spec("torchvision")
print(found.name, [m for m in ("torch", "torchvision", "numpy") if m in sys.modules])
"""
    assert python(code, tmp_path) == "torchvision []"


def test_twice_is_once_and_nothing_is_declared_where_the_library_loads(
    site: Path, tmp_path: Path
) -> None:
    code = f"""
site.addsitedir({str(site)!r})
import _five_beats_torchvision as hook
hook.hook()
hook.extension_loads = lambda: True
hook.SCHEMAS = {{"torchvision::none": "() -> ()"}}
print(sum(type(f).__name__ == "_Hook" for f in sys.meta_path), hook.declare())
"""
    assert python(code, tmp_path) == "1 False"


def test_a_missing_torchvision_is_missed_as_ever(site: Path, tmp_path: Path) -> None:
    code = f"""
sys.path.pop()
site.addsitedir({str(site)!r})
import torchvision
"""
    assert python(code, tmp_path) == "ModuleNotFoundError: No module named 'torchvision'"
