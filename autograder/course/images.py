r"""The images an assignment works on: found, cut to size, and split so that some stay secret.

A data root is torchvision's folder layout: `MNIST/raw` or `FashionMNIST/raw` with four IDX
files. `datasets.MNIST(root, download=True)` asks only whether the four files are there (it
checks no checksum of files that exist), so a root of our own making is found without network.

    the real root   train ------------------------------> at most spec.train   \ written below the
                    t10k --+-- public half -------------> at most spec.test    / cache, mounted
                           +-- secret half -------------> at most spec.hidden    in memory only

The halves of t10k are chosen by the content of the data set alone: the same for every
assignment, whatever its seed and sizes, so that no assignment's public test set shows
another's hidden labels. An image equal, byte for byte, to one of the secret half is left out
of the other two parts. Every choice is stratified, and ranks images by a keyed hash of their
bytes instead of a random generator, so that it is the same under every version of numpy.

Where there is no real root, 1,797 real handwritten digits take its place (`digits.npz`
beside this file). They are the test part of "Optical Recognition of Handwritten Digits"
(E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, licence CC BY 4.0), 8 x 8 pixels of 0 to 16, taken unchanged
from scikit-learn's `load_digits` (BSD 3-Clause); here they are enlarged to 28 x 28 and
stretched to 0 to 255.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import shutil
import struct
import tempfile
import threading
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ..errors import InputError
from ..model import Array
from .config import Assignment, DataSpec

FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}
"""The folder of torchvision's class, by the name an assignment uses."""
FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
VARIABLE = "FIVE_BEATS_DATA"
EMBEDDED = "embedded"
"""Given in a root's place, asks for the embedded digits although a root could be found."""
SIDE = 28
CLASSES = 10
CAP = 2**28
"""The most bytes one file may hold; five times the largest of the real files."""
_DIGITS_TEST = 600
_IDX = {1: 0x0801, 3: 0x0803}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A data root ready to be mounted, and the hidden half, which is in memory only.

    `root` holds `n_train` and `n_test` images; `dataset` names what they are (`mnist`,
    `fashion-mnist`, `digits`); `fingerprint` is the same exactly if every image of the three
    parts is. hidden_images: (N, 28, 28) uint8; hidden_labels: (N,) int64. `source` is the root it
    was cut from (`embedded` for the built-in digits), `content` a name for all images there.
    """

    root: Path
    dataset: str
    fingerprint: str
    hidden_images: Array
    hidden_labels: Array
    n_train: int
    n_test: int
    source: str = EMBEDDED
    content: str = ""


@dataclass(frozen=True, eq=False)
class Part:
    """Labelled images. images: (N, 28, 28) uint8; labels: (N,) uint8 below 10."""

    images: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Array) -> Part:
        return Part(self.images[indices], self.labels[indices])

    def pixels(self) -> list[bytes]:
        """Each image's bytes."""
        return [image.tobytes() for image in self.images]

    def digest(self) -> str:
        h = hashlib.sha256(len(self).to_bytes(8, "big"))
        h.update(self.images.tobytes())
        h.update(self.labels.tobytes())
        return h.hexdigest()


# Finding a root --------------------------------------------------------------------------


def _file(root: Path, dataset: str, name: str) -> Path | None:
    """The file of that name in the root, unpacked or gzipped; None if it is in neither form."""
    raw = root / FOLDERS[dataset] / "raw"
    return next((p for p in (raw / name, raw / f"{name}.gz") if p.is_file()), None)


def has(root: Path, dataset: str) -> bool:
    """Whether all four files of the data set are below this root."""
    return all(_file(root, dataset, name) is not None for name in FILES)


def _own_roots() -> list[Path]:
    """Where people keep torchvision's data sets."""
    home = Path.home()
    torch_home = os.environ.get("TORCH_HOME")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    torch = Path(torch_home) if torch_home else cache / "torch"
    return [Path("data"), home / "data", home / "datasets", torch / "datasets", torch / "data"]


def _missing(root: Path, dataset: str, where: str) -> InputError:
    folder = FOLDERS[dataset]
    if not root.is_dir():
        return InputError(f"{where} is not a folder", where=root, remedy="correct the path")
    above = next((p for p in (root.parent, root.parent.parent) if has(p, dataset)), None)
    if above is not None:
        return InputError(
            f"{where} lies inside the {folder} data set", where=root, remedy=f"give {above}"
        )
    absent = [f"{folder}/raw/{name}" for name in FILES if _file(root, dataset, name) is None]
    return InputError(
        f"{where} has no {', '.join(absent)} (nor the same with .gz)",
        where=root,
        remedy=f"give a torchvision root with {folder}/raw, or '{EMBEDDED}' for the built-in "
        f"digits",
    )


def cache_folder() -> Path:
    """Where prepared data and calibrations are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "five-beats"


def find_root(
    dataset: str, given: Path | None, course: Path | None, before: Path | None = None
) -> Path | None:
    """The first root that has the data set; None stands for the embedded digits.

    Looked at in this order: `given` (the command line), `before` (what a folder's grades rest on
    already), `course` (grading_config.yml), the environment's FIVE_BEATS_DATA, the user's own
    folders (`./data`, `~/data`, ...). What is named in the first four may also be the word
    `embedded`. Raises `InputError` where `given` or `before` lacks the data set, or where a named
    folder does not exist.
    """
    variable = os.environ.get(VARIABLE)
    named = (
        (given, "--data"),
        (before, "the root of the images that this was graded on before"),
        (course, "`data` of grading_config.yml"),
        (Path(variable) if variable else None, f"the folder in {VARIABLE}"),
    )
    for path, where in named:
        if path is None:
            continue
        if str(path) == EMBEDDED:
            return None
        root = path.expanduser()
        if has(root, dataset):
            return root.resolve()
        if path in (given, before) or not root.is_dir():
            error = _missing(root, dataset, where)
            if path is before and path is not given:
                error.remedy = "say with --data where it lies now, or choose another -o"
            raise error
    return next((root.resolve() for root in _own_roots() if has(root, dataset)), None)


# Reading ---------------------------------------------------------------------------------


def read_idx(path: Path, dims: int) -> Array:
    """A uint8 IDX file of `dims` dimensions (1 or 3), plain or gzipped.

    Raises `InputError` for anything else: unreadable, another format, truncated, too long.
    """

    def bad(what: str) -> InputError:
        return InputError(what, where=path, remedy="remove the file and download it again")

    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as f:
            head = f.read(4 + 4 * dims)
            if head[:4] != struct.pack(">I", _IDX[dims]):
                raise bad(f"is not an IDX file of {dims}-dimensional bytes")
            if len(head) < 4 + 4 * dims:
                raise bad("ends in the middle of its header")
            shape = struct.unpack(f">{dims}I", head[4:])
            size = math.prod(shape)
            if size > CAP:
                raise bad(f"promises {size:,} bytes, more than any data set of this course")
            body = f.read(size + 1)
    except (OSError, EOFError, zlib.error) as e:
        raise bad(f"cannot be read: {e}") from e
    if len(body) != size:
        held = f"{len(body):,}" if len(body) < size else f"more than {size:,}"
        raise bad(f"holds {held} bytes where its header promises {size:,}")
    return np.frombuffer(body, np.uint8).reshape(shape)


def _read_part(root: Path, dataset: str, part: str) -> Part:
    names = (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
    paths = [_file(root, dataset, name) for name in names]
    if paths[0] is None or paths[1] is None:
        raise _missing(root, dataset, "the data root")
    images, labels = read_idx(paths[0], 3), read_idx(paths[1], 1)
    what = ""
    if images.shape[1:] != (SIDE, SIDE):
        what = f"holds images of {images.shape[1]} x {images.shape[2]}, not {SIDE} x {SIDE}"
    elif len(images) != len(labels):
        what = f"holds {len(images):,} images, but there are {len(labels):,} labels"
    elif labels.size and int(labels.max()) >= CLASSES:
        what = f"has a label {int(labels.max())} beside it, where 0 to {CLASSES - 1} are known"
    if what:
        raise InputError(what, where=paths[0], remedy="download the data set again")
    return Part(images, labels)


def enlarge(images: Array) -> Array:
    """(N, 8, 8) of 0..16 to (N, 28, 28) uint8 of 0..255: bilinear, half-pixel centres.

    Output pixel i looks at input position (2i + 1) * 8 / (2 * 28) - 1/2 = (4i - 5) / 14, so
    all weights are multiples of 1/14 and the whole sum is exact in integers.
    """
    weights = np.zeros((SIDE, 8), np.int64)
    for i in range(SIDE):
        left, right = divmod(4 * i - 5, 14)
        weights[i, min(max(left, 0), 7)] += 14 - right
        weights[i, min(max(left + 1, 0), 7)] += right
    total = np.einsum("ik,nkl,jl->nij", weights, images.astype(np.int64), weights)
    scale = 14 * 14 * 16
    result: Array = ((total * 255 + scale // 2) // scale).astype(np.uint8)
    return result


@lru_cache(maxsize=1)
def digits() -> tuple[Part, Part]:
    """The embedded digits as (train, t10k): 1,197 and 600 images."""
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as raw:
        whole = Part(enlarge(raw["images"]), raw["labels"].astype(np.uint8))
    test, train = _split(whole, _DIGITS_TEST, "digits/t10k")
    return whole.take(train), whole.take(test)


# Splitting -------------------------------------------------------------------------------


def _split(part: Part, n: int, key: str) -> tuple[Array, Array]:
    """`n` indices with the classes in their proportions, and the other indices.

    Both in an order that depends on `key` and the images alone. Quotas by largest remainder.
    """
    salt = hashlib.sha256(key.encode()).digest()
    ranks = [hashlib.blake2b(image, key=salt, digest_size=16).digest() for image in part.pixels()]
    order = sorted(range(len(part)), key=lambda i: (ranks[i], i))
    n = min(n, len(part))
    counts = np.bincount(part.labels, minlength=CLASSES).astype(np.int64)
    quotas = counts * n // max(len(part), 1)
    remainders = counts * n % max(len(part), 1)
    for c in sorted(range(CLASSES), key=lambda c: (-int(remainders[c]), c))[: n - quotas.sum()]:
        quotas[c] += 1
    chosen, rest = [], []
    for i in order:
        label = part.labels[i]
        if quotas[label] > 0:
            quotas[label] -= 1
            chosen.append(i)
        else:
            rest.append(i)
    return np.array(chosen, np.int64), np.array(rest, np.int64)


def _without(part: Part, secret: frozenset[bytes]) -> Part:
    """The part less every image that is one of the secret ones."""
    return part.take(np.array([k not in secret for k in part.pixels()], dtype=bool))


# Preparing -------------------------------------------------------------------------------


def _idx_bytes(array: Array) -> bytes:
    header = struct.pack(f">{1 + array.ndim}I", _IDX[array.ndim], *array.shape)
    return header + np.ascontiguousarray(array, np.uint8).tobytes()


def root_files(root: Path) -> dict[str, bytes]:
    """All files of a data root, by their paths below it."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _is_whole(root: Path, files: Mapping[str, bytes]) -> bool:
    """Whether the root holds exactly these files; anything odd in it counts as no."""
    with suppress(OSError):
        return root_files(root) == files
    return False


def write_root(root: Path, files: Mapping[str, bytes]) -> None:
    """Put files, by their paths, below `root`, all or none; readable by all, as boxes need it.

    Raises `InputError` where they cannot be written.
    """
    if _is_whole(root, files):
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=root.parent))
    try:
        made = fresh / "root"
        for name, data in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o644)
        for folder in (made, *(p for p in made.rglob("*") if p.is_dir())):
            folder.chmod(0o755)
        if root.exists():  # damaged: out of the way, in one move
            root.rename(fresh / "old")
        with suppress(OSError):  # another process was quicker
            made.rename(root)
    except OSError as e:
        raise InputError(
            f"the data root cannot be written: {e}", where=root, remedy="free some space there"
        ) from e
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if not _is_whole(root, files):
        raise InputError(
            "the data root is not as it was written", where=root, remedy="remove it, try again"
        )


def _root(folders: Iterable[str], arrays: Iterable[Array]) -> dict[str, bytes]:
    """The files of a root that holds the same four arrays below each of these folders."""
    files = dict(zip(FILES, map(_idx_bytes, arrays), strict=True))
    return {f"{folder}/raw/{name}": raw for folder in folders for name, raw in files.items()}


def _whole(dataset: str, root: Path | None) -> tuple[Part, Part, str, str]:
    """All of a data set: the parts train and t10k, what its images are, and their digest."""
    if root is None:
        (train, test), name = digits(), "digits"
    else:
        train, test = (_read_part(root, dataset, part) for part in ("train", "t10k"))
        name = dataset
    content = hashlib.sha256((train.digest() + test.digest()).encode()).hexdigest()
    return train, test, name, content


def content_of(dataset: str, root: Path | None) -> str:
    """A name for all the images of a data set: the same exactly if every one of them is."""
    _, _, name, content = _whole(dataset, root)
    return f"{name}-{content[:16]}"


def prepare(spec: DataSpec, seed: int, root: Path | None, cache: Path) -> Prepared:
    """Cut the data set at `root` (None: the embedded digits) to an assignment's size.

    The result is the same for the same images, spec and seed, and is written once, below
    `cache`. Raises `InputError` for files that are missing, damaged or too few.
    """
    train, test, dataset, content = _whole(spec.dataset, root)
    secret_half, public_half = _split(test, len(test) // 2, f"{content}/secret")
    secret = test.take(secret_half)
    hidden = secret.take(_split(secret, spec.hidden, f"{content}/hidden/{spec.hidden}")[0])
    taken = frozenset(secret.pixels())
    train, test = _without(train, taken), _without(test.take(public_half), taken)
    train = train.take(_split(train, spec.train, f"{content}/train/{seed}")[0])
    test = test.take(_split(test, spec.test, f"{content}/test/{seed}")[0])
    for part, name in ((train, "training"), (test, "public test"), (hidden, "hidden")):
        if len(part) < CLASSES:
            raise InputError(
                f"leaves {len(part)} {name} images, too few for {CLASSES} classes",
                where=root,
                remedy="give a larger data set, or leave out --data for the built-in digits",
            )
    files = (train.images, train.labels, test.images, test.labels)
    parts = f"{spec.dataset}/{train.digest()}/{test.digest()}/{hidden.digest()}"
    fingerprint = f"{dataset}-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"
    place = cache / fingerprint
    write_root(place, _root([FOLDERS[spec.dataset]], files))
    return Prepared(
        place, dataset, fingerprint, hidden.images, hidden.labels.astype(np.int64),
        len(train), len(test), EMBEDDED if root is None else str(root), f"{dataset}-{content[:16]}",
    )  # fmt: skip


class ImageShelf:
    """The images of assignments, each prepared once, below `folder`. Thread-safe.

    `given` is the root that the command line names, `course` that of grading_config.yml.
    `remembered` are the roots, by data set, that a folder's grades rest on already; they are taken
    where `given` is None.
    """

    def __init__(
        self,
        folder: Path,
        given: Path | None,
        course: Path | None,
        remembered: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._given, self._course, self._remembered = given, course, remembered
        self._prepared: dict[str, Prepared | None] = {}
        self._lock = threading.Lock()

    def prepared(self, assignment: Assignment) -> Prepared | None:
        """What an assignment works on; None for one without images. Raises `InputError`."""
        with self._lock:
            if assignment.id not in self._prepared:
                spec, found = assignment.data, None
                if spec is not None:
                    found = prepare(spec, assignment.seed, self._root(spec.dataset), self.folder)
                self._prepared[assignment.id] = found
            return self._prepared[assignment.id]

    def _root(self, dataset: str) -> Path | None:
        """Where the images of a data set lie; None for the embedded digits."""
        before = self._remembered.get(dataset)
        others = [r for r in self._remembered.values() if str(r) != EMBEDDED and has(r, dataset)]
        return find_root(dataset, self._given, self._course, before or next(iter(others), None))

    def unasked(self, dataset: str) -> str:
        """Where images would come from if nothing were given or remembered, "" if that fails."""
        try:
            return str(find_root(dataset, None, self._course) or EMBEDDED)
        except InputError:
            return ""


def showcase(cache: Path) -> Path:
    """A root for watching any script: the public part of the embedded digits under every known
    data set's name. Written once, below `cache`. The hidden half is not in it.
    """
    train, test = digits()
    content = hashlib.sha256((train.digest() + test.digest()).encode()).hexdigest()
    secret_half, public_half = _split(test, len(test) // 2, f"{content}/secret")
    taken = frozenset(test.take(secret_half).pixels())
    train, test = _without(train, taken), _without(test.take(public_half), taken)
    files = (train.images, train.labels, test.images, test.labels)
    root = cache / f"showcase-{train.digest()[:16]}"
    write_root(root, _root(FOLDERS.values(), files))
    return root
