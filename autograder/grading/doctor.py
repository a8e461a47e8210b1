"""What this machine can do, tried and not guessed, with a remedy for each thing it cannot.

    needed   without it no class can be graded (exit status 1)
    useful   grading works without it; the finding says what is lost

Theory. That a program is installed says little: Ubuntu's AppArmor, a container's seccomp
profile or a missing library can each forbid what bubblewrap needs. So the last word is a
box that is really opened, with torch in it, and code that is really run there; the findings
before it explain why that may have failed.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FiveBeatsError

if TYPE_CHECKING:
    from ..model import LoadReport

PYTHON = ((3, 11), (3, 13))
TORCH = (2, 6)
PROC = Path("/proc/sys")
CGROUPS = Path("/sys/fs/cgroup")
LANDLOCK_CREATE_RULESET = 444
"""The system call's number, the same on every architecture that Linux calls 64-bit."""
TRY = "import torch\nprint(int(torch.ones(2, 3).sum()) * 7)\n"
TRY_MODULES = """\
import importlib
for name in {wanted}:
    try:
        importlib.import_module(name)
        print(f"{{name}}=imported")
    except Exception as e:
        print(f"{{name}}={{type(e).__name__}}: {{str(e).splitlines()[0]}}")
"""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, what was seen, and what to do about it."""

    name: str
    ok: bool
    found: str
    remedy: str = ""
    needed: bool = False


def examine(course: Path | None = None) -> list[Finding]:
    """Everything, in the order in which a fault of one explains the next."""
    return [
        python(),
        torch(),
        torchvision(),
        bubblewrap(),
        user_namespaces(),
        libseccomp(),
        landlock(),
        cgroups(),
        engines(),
        box(),
        *modules(course),
        gpu(),
        *configuration(course),
        *data(course),
    ]


def able(findings: Sequence[Finding]) -> bool:
    """Whether a class can be graded here."""
    return all(f.ok for f in findings if f.needed)


def as_json(findings: Sequence[Finding]) -> str:
    """The findings for machines."""
    return json.dumps({"able": able(findings), "findings": [asdict(f) for f in findings]}, indent=1)


def python() -> Finding:
    """The interpreter's version and system."""
    version = sys.version_info[:2]
    system = platform.system()
    return Finding(
        "Python",
        PYTHON[0] <= version <= PYTHON[1] and system == "Linux",
        f"{platform.python_version()} on {system} {platform.machine()}",
        "use Python 3.11 to 3.13 on Linux (on Windows: WSL 2)",
        needed=True,
    )


def _version(package: str) -> tuple[int, int] | None:
    try:
        major, minor = metadata.version(package).split("+")[0].split(".")[:2]
        return int(major), int(minor)
    except (metadata.PackageNotFoundError, ValueError):
        return None


def torch() -> Finding:
    """Whether torch is there, in a version that is supported."""
    found = _version("torch")
    text = "not installed" if found is None else metadata.version("torch")
    remedy = "pip install 'torch>=2.6' 'torchvision>=0.21'"
    return Finding("torch", found is not None and found >= TORCH, text, remedy, needed=True)


def torchvision() -> Finding:
    """Whether torchvision is made for this torch (torch 2.n goes with 0.(n + 15)), and whether a
    plain `import torchvision` works, as in a notebook's kernel and in pytest; a box helps itself.
    """
    ours, theirs = _version("torchvision"), _version("torch")

    def finding(found: str, remedy: str = "") -> Finding:
        return Finding("torchvision", not remedy, found, remedy, needed=True)

    if ours is None or theirs is None:
        return finding("not installed", "pip install torchvision")
    text = metadata.version("torchvision")
    if theirs[0] == 2 and ours != (0, theirs[1] + 15):
        remedy = f"pip install 'torchvision==0.{theirs[1] + 15}.*'"
        return finding(f"{text} beside torch {theirs[0]}.{theirs[1]}", remedy)
    plain = "from torchvision import datasets, transforms\n"
    failed = _fails(plain)
    if failed is None:
        return finding(f"{text}, the right one for torch {theirs[0]}.{theirs[1]}")
    module = "autograder.inside.torchvision_compat"
    if _fails(f"from {module} import declare\ndeclare()\n{plain}") is None:
        return finding(
            f"{text} works in boxes only; elsewhere (notebooks, pytest): {failed}",
            f"{sys.executable} -m {module}",
        )
    return finding(f"{text} cannot be imported: {failed}", "install torch and torchvision anew")


def _fails(code: str) -> str | None:
    """What a plain Python of this environment says last where it cannot run `code`, else None."""
    done = _run([sys.executable, "-c", code], 120)
    if done is not None and done.returncode == 0:
        return None
    return "it does not end" if done is None else (done.stderr.strip().splitlines() or [""])[-1]


def bubblewrap() -> Finding:
    """Whether bwrap is there."""
    path = shutil.which("bwrap")
    done = None if path is None else _run([path, "--version"], 20)
    return Finding(
        "bubblewrap",
        done is not None and done.returncode == 0,
        "not installed" if done is None else done.stdout.strip() or "does not start",
        "apt-get install bubblewrap (or: dnf install bubblewrap)",
        needed=True,
    )


def user_namespaces() -> Finding:
    """Whether an unprivileged user may make a user namespace, tried as such a user."""
    command = ["unshare", "--user", "--map-root-user", "true"]
    if os.geteuid() == 0 and shutil.which("setpriv"):
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *command]
    done = _run(command, 20)
    if done is not None and done.returncode == 0:
        from ..sandbox.bubblewrap import user_namespace

        with user_namespace() as users:
            each = "one user for all" if users is None else "two users for each box"
        return Finding("user namespaces", ok=True, found=f"allowed, {each}", needed=True)
    found, remedy = "refused", "allow unprivileged user namespaces on this machine"
    for name, bad, command_line in (
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    ):
        if _setting(name) == bad:
            found, remedy = f"refused ({name} is {bad})", f"sudo sysctl -w {command_line}"
            break
    if done is None:
        found, remedy = "cannot be tried: unshare is missing", "apt-get install util-linux"
    return Finding("user namespaces", ok=False, found=found, remedy=remedy, needed=True)


def _setting(name: str) -> str | None:
    try:
        return (PROC / name).read_text().strip()
    except OSError:
        return None


def libseccomp() -> Finding:
    """The filter of system calls: the system's library and Python's binding."""
    library = ctypes.util.find_library("seccomp")
    binding = importlib.util.find_spec("pyseccomp") is not None
    found = f"library {library or 'missing'}, pyseccomp {'there' if binding else 'missing'}"
    remedy = "apt-get install libseccomp2 && pip install pyseccomp"
    return Finding("libseccomp", bool(library) and binding, found, remedy, needed=True)


def landlock() -> Finding:
    """The kernel's Landlock: a second fence around files, behind the namespaces."""
    try:
        # With no attributes and the flag 1 the call only answers which version there is.
        version = int(ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1))
    except (OSError, AttributeError):
        version = -1
    remedy = "none needed; a kernel from 5.13 on with lsm=landlock adds a second fence"
    return Finding(
        "landlock", version > 0, f"version {version}" if version > 0 else "absent", remedy
    )


def cgroups() -> Finding:
    """Whether each box can get a control group of its own, tried by making one."""
    from ..sandbox.cgroup import available

    groups = available()
    if groups is not None:
        groups.close()
        found = f"version {groups.version}, one for each box ({', '.join(groups.names)})"
        return Finding("cgroups", ok=True, found=found)
    if (CGROUPS / "cgroup.controllers").is_file():
        found = "version 2, but none may be made here"
    else:
        found = "version 1, but none may be made here" if (CGROUPS / "memory").is_dir() else "none"
    remedy = (
        "none needed; limits then hold for each process, and a watchdog for the sum. "
        "For a group around each box: `systemd-run --user --scope -p Delegate=yes autograder …`"
    )
    return Finding("cgroups", ok=False, found=found, remedy=remedy)


def engines() -> Finding:
    """Whether podman or docker is there, and has the box's image; needed only for containers."""
    from ..sandbox.auto import engine_works
    from ..sandbox.container import IMAGE

    installed = [name for name in ("podman", "docker") if shutil.which(name)]
    ready = [name for name in installed if engine_works(name)]
    if ready:
        return Finding("containers", ok=True, found=f"{' and '.join(ready)} with the image {IMAGE}")
    if installed:
        found = f"{installed[0]} without the image {IMAGE}"
        remedy = f"autograder image build --engine {installed[0]}"
        return Finding("containers", ok=False, found=found, remedy=remedy)
    remedy = "none needed with bubblewrap; else: apt-get install podman"
    return Finding("containers", ok=False, found="no podman, no docker", remedy=remedy)


def box() -> Finding:
    """Open a real box, run torch in it, and read what it printed."""
    began = time.monotonic()
    ok, found = False, ""
    shelf = Path(tempfile.mkdtemp(prefix="five-beats-doctor-"))
    try:
        name, load = _try_box(shelf)
        ok = load.status == "done" and "42" in load.output
        why = load.detail or "; ".join(map(str, load.errors)) or load.status
        found = f"{name} opened, but code fails in it: {why}"
    except (FiveBeatsError, OSError) as e:
        found = f"cannot be opened: {e}"
    finally:
        shutil.rmtree(shelf, ignore_errors=True)
    if ok:
        found = f"{name} opened and ran torch in {time.monotonic() - began:.1f} s"
    remedy = "mend what is marked above, then run the doctor again"
    return Finding("a box", ok, found, remedy, needed=True)


def modules(course: Path | None) -> list[Finding]:
    """Each module that the course lists, imported in a real box: what lies in a home of somebody's
    is here and yet not there.
    """
    from ..course import config

    try:
        wanted = () if course is None else config.modules_of(course)
    except FiveBeatsError:
        return []  # `data` tells of it
    if not wanted:
        return []
    shelf = Path(tempfile.mkdtemp(prefix="five-beats-doctor-"))
    try:
        _, load = _try_box(shelf, TRY_MODULES.format(wanted=wanted))
        told = dict(line.split("=", 1) for line in load.output.splitlines() if "=" in line)
    except (FiveBeatsError, OSError) as e:
        told = dict.fromkeys(wanted, f"cannot be tried: {e}")
    finally:
        shutil.rmtree(shelf, ignore_errors=True)
    remedy = f"{sys.executable} -m pip install the package that holds it, or take it off the list"
    return [
        Finding(f"module: {m}", said == "imported", said, remedy, needed=True)
        for m in wanted
        for said in [told.get(m, "the box ended before it was tried")]
    ]


def _try_box(shelf: Path, program: str = TRY) -> tuple[str, LoadReport]:
    """The sandbox's name, and how a small program of ours went in it."""
    from ..model import Job, Limits, Program
    from ..sandbox import choose

    sandbox = choose("auto", shelf)
    try:
        job = Job(Program("script", "doctor.py", (program,)), {}, Limits())
        with sandbox.open(job) as opened:
            return sandbox.name, opened.load()
    finally:
        sandbox.close()


def gpu() -> Finding:
    """Whether torch sees an accelerator; courses on a CPU need none."""
    code = (
        "import torch\n"
        "ok = torch.cuda.is_available()\n"
        "print(torch.cuda.get_device_name(0) if ok else '', end='')\n"
    )
    done = _run([sys.executable, "-c", code], 120)
    name = "" if done is None else done.stdout.strip()
    remedy = "none needed; checks that want a GPU are deferred"
    return Finding("GPU", bool(name), name or "none that torch can use", remedy)


def configuration(course: Path | None) -> list[Finding]:
    """Whether the course's files can be used: each assignment.yml with the checks it names, and
    each calibration.yml. One finding for all if all is well; none where there is no course, or
    where grading_config.yml itself cannot be read (`data` tells that).
    """
    from ..checks.judge import validate
    from ..course import config
    from .calibration import committed

    if course is None:
        return []

    def wrong(error: FiveBeatsError | str, remedy: str = "mend the file") -> Finding:
        return Finding("course", ok=False, found=str(error), remedy=remedy, needed=True)

    try:
        settings = config.course(course)
    except FiveBeatsError:
        return []
    found = []
    there = {p.parent.name for p in course.glob("assignments/*/assignment.yml")}
    for name in settings.assignments:
        path = course / "assignments" / name / "assignment.yml"
        if name not in there:
            near = config.did_you_mean(name, there - set(settings.assignments))
            what = f"grading_config.yml lists '{name}', which has no {path}{near}"
            found.append(wrong(what, "mend the list, or add the file"))
            continue
        try:
            spec = config.assignment(path)
            validate(spec, path)
            committed(path.with_name("calibration.yml"))
            if spec.id != name:
                found.append(wrong(f"{path}: its id is '{spec.id}'", "name both alike"))
        except FiveBeatsError as e:
            found.append(wrong(e))
    if settings.floating:
        what = f"{len(settings.floating)} times without an offset count as UTC's"
        remedy = "say `timezone: Europe/Berlin` (your own) in grading_config.yml"
        found.append(Finding("course", ok=False, found=what, remedy=remedy))
    if not found:
        several = f"{len(settings.assignments)} assignments, and the checks that they name"
        found.append(Finding("course", ok=True, found=several, needed=True))
    return found


def data(course: Path | None) -> list[Finding]:
    """Where each data set of the course will come from."""
    from ..course import config
    from ..course.images import find_root

    found = []
    try:
        given = None if course is None else config.course(course).data
    except FiveBeatsError as e:
        return [Finding("course", ok=False, found=str(e), remedy="mend the file", needed=True)]
    remedy = "none needed; name a torchvision root with --data to grade on the real images"
    for dataset in ("mnist", "fashion-mnist"):
        try:
            root = find_root(dataset, None, given)
        except FiveBeatsError as e:
            remedy = "mend `data:` in grading_config.yml"
            found.append(Finding(f"data: {dataset}", ok=False, found=str(e), remedy=remedy))
            continue
        text = "none; the embedded digits are used" if root is None else str(root)
        found.append(Finding(f"data: {dataset}", root is not None, text, remedy))
    return found


def _run(command: list[str], seconds: float) -> subprocess.CompletedProcess[str] | None:
    """A command's end, or None where it cannot be started or does not end."""
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
