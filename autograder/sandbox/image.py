"""Building and verifying the box's container image from `Containerfile`.

The image holds the environment of the machine it is built on: the same versions of torch,
torchvision and the packages assignments import, so that a grade does not depend on the
backend. Where this machine's pip is told to look in other places (an index, a folder of
wheels), the build is told the same; podman mounts those files for the build only, so they
leave no trace in the image.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from urllib.parse import urlparse

from ..course.config import requirements
from ..errors import SandboxError
from ..model import Job, Limits, Program
from .container import Container, engine_options

# scikit-learn is left out on purpose: its wheel holds the built-in digits with their labels
PACKAGES = (
    "numpy", "pillow", "ipython", "safetensors", "matplotlib", "tqdm", "rich", "lightning",
)  # fmt: skip
"""What is installed of these here is installed there, in the same versions: a check that `requires`
one asks this machine for it, and then the box must have it."""
VERIFY = """
import torch, torchvision
from torch import nn
net = nn.Linear(3, 2)
optimizer = torch.optim.AdamW(net.parameters())
loss = nn.functional.cross_entropy(net(torch.ones(4, 3)), torch.zeros(4, dtype=torch.long))
loss.backward()
optimizer.step()
print('trained with', torch.__version__.split('+')[0], torchvision.__version__.split('+')[0])
"""


def _pip_settings() -> dict[str, str]:
    """This machine's pip configuration, keys without their section (pip's own listing)."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found: dict[str, str] = {}
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        name = key.split(".")[-1].strip()
        if name and name not in ("version", "help"):
            found[name] = value.strip().strip("'\"").replace("\\n", "\n")
    return found


def _host_files(settings: dict[str, str]) -> list[str]:
    """Files and folders on this machine that those settings point at."""
    found = []
    for value in settings.values():
        for word in value.split():
            path = urlparse(word).path if word.startswith("file://") else word
            if path.startswith("/") and os.path.exists(path):
                # an index's own folder holds the pages, its parent the wheels they link to
                found.append(str(Path(path).parent) if word.startswith("file://") else path)
    return sorted(set(found))


def _context(folder: Path, modules: Sequence[str]) -> None:
    shutil.copy(Path(__file__).with_name("Containerfile"), folder / "Containerfile")
    pins = []
    for package in PACKAGES:
        try:
            pins.append(f"{package}=={metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    pins += requirements(modules)
    (folder / "requirements.txt").write_text("\n".join(pins) + "\n")


def build(
    engine: str,
    tag: str,
    base: str | None = None,
    torch_index: str | None = None,
    modules: Sequence[str] = (),
) -> None:
    """Build the image `tag` with `engine`; `modules` are those that the course lists.

    Raises `SandboxError` with the build's last words, `ConfigError` for a module that is not here.
    """
    if shutil.which(engine) is None:
        raise SandboxError(f"{engine} is not installed", remedy="install podman or docker")
    with tempfile.TemporaryDirectory(prefix="five-beats-image-") as name:
        folder = Path(name)
        _context(folder, modules)
        command = [engine, *engine_options(), "build", "--tag", tag, "--network", "host"]
        if base:
            command += ["--build-arg", f"BASE={base}"]
        if torch_index:
            command += ["--build-arg", f"TORCH_INDEX={torch_index}"]
        for package, argument in (("torch", "TORCH"), ("torchvision", "TORCHVISION")):
            version = metadata.version(package).partition("+")[0]
            command += ["--build-arg", f"{argument}={package}=={version}"]
        if engine == "podman":
            settings = _pip_settings()
            lines = [f"{k} = {v.replace(chr(10), chr(10) + '  ')}" for k, v in settings.items()]
            pip = folder / "pip.conf"
            pip.write_text("[global]\n" + "\n".join(lines) + "\n")
            for path in [*_host_files(settings)]:
                command += ["-v", f"{path}:{path}:ro"]
            command += ["-v", f"{pip}:/etc/pip.conf:ro", "--ulimit", "nofile=1024:1024"]
            command += ["--ulimit", "nproc=4096:4096"]
        done = subprocess.run(
            [*command, "-f", str(folder / "Containerfile"), str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        words = " | ".join(done.stdout.strip().splitlines()[-3:])
        raise SandboxError(f"the image could not be built: {words}", remedy="see Containerfile")


def verify(engine: str, tag: str) -> str:
    """Train one step in a box of the image; returns what it printed. Raises `SandboxError`."""
    limits = Limits(wall_s=60, memory_mb=1024)
    with Container(engine, tag, warm=1) as containers:
        program = Program("script", "verify.py", (VERIFY,))
        with containers.open(Job(program, {}, limits)) as box:
            report = box.load()
    if report.status != "done" or report.errors:
        why = report.detail or str(report.errors[0])
        raise SandboxError(f"the image does not train: {why}", remedy="build it again")
    return report.output.strip()
