"""The images: found, read safely, cut to size; and what is hidden stays out of the mounted root."""

from __future__ import annotations

import gzip
import os
import stat
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograder.course import images as data
from autograder.course.config import DataSpec
from autograder.errors import InputError
from autograder.model import Array

ROOT = Path(__file__).resolve().parents[2]
MNIST = DataSpec(dataset="mnist", train=200, test=50, hidden=60)
FASHION = DataSpec(dataset="fashion-mnist", train=200, test=50, hidden=60)


def images_of(prepared: data.Prepared, folder: str, part: str) -> tuple[Array, Array]:
    raw = prepared.root / folder / "raw"
    return (
        data.read_idx(raw / f"{part}-images-idx3-ubyte", 3),
        data.read_idx(raw / f"{part}-labels-idx1-ubyte", 1),
    )


def pixels(images: Array) -> set[bytes]:
    return {image.tobytes() for image in images}


def make_root(
    root: Path, train: int = 600, test: int = 300, folder: str = "MNIST", seed: int = 0
) -> Path:
    """A root of random images, sorted by class as some real ones are."""
    rng = np.random.default_rng(seed)
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    for part, n in (("train", train), ("t10k", test)):
        labels = np.sort(np.arange(n) % 10).astype(np.uint8)
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        write(raw / f"{part}-images-idx3-ubyte", images)
        write(raw / f"{part}-labels-idx1-ubyte", labels)
    return root


def write(path: Path, array: Array) -> None:
    head = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
    path.write_bytes(head + array.tobytes())


# The embedded digits ---------------------------------------------------------------------------


def test_the_digits_are_real_images_of_every_class() -> None:
    train, test = data.digits()
    assert (len(train), len(test)) == (1197, 600)
    assert train.images.shape == (1197, 28, 28)
    assert train.images.dtype == np.uint8
    for part in (train, test):
        counts = np.bincount(part.labels, minlength=10)
        assert counts.max() - counts.min() <= 0.1 * len(part) / 10
        assert part.images.min() == 0
        assert part.images.max() == 255
    assert not pixels(train.images) & pixels(test.images)


def test_a_nearest_neighbour_reads_the_digits() -> None:
    """Images and labels belong together, and enlarging kept what they show."""
    train, test = data.digits()
    a = train.images.reshape(len(train), -1).astype(np.float32)
    b = test.images.reshape(len(test), -1).astype(np.float32)
    distance = (b**2).sum(1)[:, None] - 2 * b @ a.T + (a**2).sum(1)[None]
    assert (train.labels[distance.argmin(1)] == test.labels).mean() > 0.96


def test_enlarging_is_bilinear() -> None:
    flat = np.full((1, 8, 8), 16, np.uint8)
    assert (data.enlarge(flat) == 255).all()
    ramp = np.tile(np.arange(8, dtype=np.uint8) * 2, (8, 1))[None]
    at = np.clip((2 * np.arange(28) + 1) * 8 / 56 - 0.5, 0, 7)
    assert np.abs(data.enlarge(ramp)[0] - at * 2 * 255 / 16).max() <= 0.5
    assert (data.enlarge(ramp) == data.enlarge(ramp.transpose(0, 2, 1)).transpose(0, 2, 1)).all()


# Preparing -------------------------------------------------------------------------------------


def test_the_parts_have_the_sizes_asked_for_and_share_no_image(tmp_path: Path) -> None:
    prepared = data.prepare(MNIST, 1, make_root(tmp_path / "real"), tmp_path / "cache")
    train, train_labels = images_of(prepared, "MNIST", "train")
    test, test_labels = images_of(prepared, "MNIST", "t10k")
    assert (len(train), len(test), len(prepared.hidden_images)) == (200, 50, 60)
    assert (prepared.n_train, prepared.n_test, prepared.dataset) == (200, 50, "mnist")
    assert prepared.hidden_labels.dtype == np.int64
    hidden = pixels(prepared.hidden_images)
    assert not hidden & pixels(test)
    assert not hidden & pixels(train)
    assert not pixels(test) & pixels(train)
    for labels, each in ((train_labels, 20), (test_labels, 5), (prepared.hidden_labels, 6)):
        assert np.bincount(labels).tolist() == [each] * 10
    assert len(set(train_labels[:30].tolist())) > 5, "the order of the classes was kept"


def test_labels_stay_with_their_images(tmp_path: Path) -> None:
    real = make_root(tmp_path / "real")
    raw = real / "MNIST" / "raw"
    known = {
        image.tobytes(): int(label)
        for part in ("train", "t10k")
        for image, label in zip(
            data.read_idx(raw / f"{part}-images-idx3-ubyte", 3),
            data.read_idx(raw / f"{part}-labels-idx1-ubyte", 1),
            strict=True,
        )
    }
    prepared = data.prepare(MNIST, 1, real, tmp_path / "cache")
    for images, labels in (
        images_of(prepared, "MNIST", "train"),
        images_of(prepared, "MNIST", "t10k"),
        (prepared.hidden_images, prepared.hidden_labels),
    ):
        assert all(known[i.tobytes()] == y for i, y in zip(images, labels, strict=True))


def test_no_assignment_shows_the_hidden_images_of_another(tmp_path: Path) -> None:
    real = make_root(tmp_path / "real")
    all_prepared = [
        data.prepare(
            DataSpec(dataset="mnist", train=n, test=n, hidden=hidden), seed, real, tmp_path / "c"
        )
        for n, hidden, seed in ((600, 150, 0), (100, 150, 1), (600, 20, 2), (50, 90, 3))
    ]
    for one in all_prepared:
        for other in all_prepared:
            mounted = [images_of(other, "MNIST", part)[0] for part in ("train", "t10k")]
            assert not pixels(one.hidden_images) & pixels(np.concatenate(mounted))
    first, second = all_prepared[:2]
    assert (first.hidden_images == second.hidden_images).all(), "seed or size moved the hidden set"


def test_both_names_of_the_digits_hide_the_same_images(tmp_path: Path) -> None:
    a, b = (data.prepare(spec, 5, None, tmp_path) for spec in (MNIST, FASHION))
    assert a.dataset == b.dataset == "digits"
    assert a.root != b.root
    assert (a.hidden_images == b.hidden_images).all()


def test_at_most_half_of_the_test_set_is_hidden(tmp_path: Path) -> None:
    spec = DataSpec(dataset="mnist", train=10_000, test=10_000, hidden=10_000)
    prepared = data.prepare(spec, 0, make_root(tmp_path / "real"), tmp_path / "cache")
    assert len(prepared.hidden_images) == 150
    assert (prepared.n_train, prepared.n_test) == (600, 150)


def test_a_copy_of_a_hidden_image_is_left_out(tmp_path: Path) -> None:
    real = make_root(tmp_path / "real")
    spec = DataSpec(dataset="mnist", train=1000, test=1000, hidden=1000)
    raw = real / "MNIST" / "raw"
    test = data.read_idx(raw / "t10k-images-idx3-ubyte", 3)
    train = data.read_idx(raw / "train-images-idx3-ubyte", 3).copy()
    train[:300] = test  # every test image is in the training set too
    write(raw / "train-images-idx3-ubyte", train)
    doubled = test.copy()
    doubled[1::2] = doubled[::2]  # and each one is in the test set twice
    write(raw / "t10k-images-idx3-ubyte", doubled)
    prepared = data.prepare(spec, 0, real, tmp_path / "cache")
    hidden = pixels(prepared.hidden_images)
    assert len(prepared.hidden_images) == 150
    assert not hidden & pixels(images_of(prepared, "MNIST", "train")[0])
    assert not hidden & pixels(images_of(prepared, "MNIST", "t10k")[0])
    assert 300 < prepared.n_train < 600


def test_a_root_is_written_once_and_mended_when_damaged(tmp_path: Path) -> None:
    first = data.prepare(MNIST, 1, None, tmp_path)
    labels = first.root / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    whole, before = labels.read_bytes(), labels.stat().st_mtime_ns
    assert data.prepare(MNIST, 1, None, tmp_path).root == first.root
    assert labels.stat().st_mtime_ns == before
    labels.write_bytes(whole[:-1] + b"\x00")
    data.prepare(MNIST, 1, None, tmp_path)
    assert labels.read_bytes() == whole
    labels.unlink()
    labels.symlink_to(tmp_path / "elsewhere")
    data.prepare(MNIST, 1, None, tmp_path)
    assert labels.read_bytes() == whole
    assert not labels.is_symlink()
    assert [p.name for p in tmp_path.iterdir()] == [first.root.name], "something was left behind"


def test_everyone_may_read_the_root_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        prepared = data.prepare(MNIST, 1, None, tmp_path / "cache")
    finally:
        os.umask(old)
    for path in (prepared.root, *prepared.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644)


def test_the_fingerprint_tells_roots_apart(tmp_path: Path) -> None:
    one, two = make_root(tmp_path / "1"), make_root(tmp_path / "2", seed=1)
    smaller = MNIST.model_copy(update={"train": 100})
    fewer = MNIST.model_copy(update={"hidden": 50})
    found = [
        data.prepare(spec, seed, root, tmp_path / "cache").fingerprint
        for spec, seed, root in (
            (MNIST, 1, one), (MNIST, 1, two), (MNIST, 2, one), (smaller, 1, one), (fewer, 1, one),
            (MNIST, 1, None), (FASHION, 1, None),
        )
    ]  # fmt: skip
    assert len(set(found)) == len(found)
    again = data.prepare(MNIST, 1, one, tmp_path / "other-cache").fingerprint
    assert again == found[0]


def test_the_choice_does_not_depend_on_the_machine(tmp_path: Path) -> None:
    """Committed calibrations are found by this key; a new one means to calibrate again."""
    spec = DataSpec(dataset="fashion-mnist", train=2000, test=400, hidden=400)
    prepared = data.prepare(spec, 50517, None, tmp_path)
    assert prepared.fingerprint == "digits-f466a736ed0e912e"
    assert (prepared.n_train, prepared.n_test, len(prepared.hidden_labels)) == (1197, 300, 300)


@pytest.mark.parametrize(("folder", "spec"), [("MNIST", MNIST), ("FashionMNIST", FASHION)])
def test_torchvision_finds_the_root_without_a_network(
    tmp_path: Path, folder: str, spec: DataSpec
) -> None:
    prepared = data.prepare(spec, 1, None, tmp_path)
    code = f"""
import socket
def refuse(*a, **k): raise OSError("no network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from torchvision import datasets, transforms
for train in (True, False):
    got = datasets.{folder}({str(prepared.root)!r}, train=train, download=True,
                            transform=transforms.ToTensor())
    image, label = got[0]
    print(len(got), tuple(image.shape), float(image.max()) <= 1, label == int(got.targets[0]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines() == ["200 (1, 28, 28) True True", "50 (1, 28, 28) True True"]


# Reading ---------------------------------------------------------------------------------------


def test_gzipped_files_are_the_same_data(tmp_path: Path) -> None:
    real = make_root(tmp_path / "real")
    plain = data.prepare(MNIST, 1, real, tmp_path / "cache").fingerprint
    for path in list((real / "MNIST" / "raw").iterdir()):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert data.prepare(MNIST, 1, real, tmp_path / "cache").fingerprint == plain


def image_bytes(n: int = 300, side: int = 28, magic: int = 0x803) -> bytes:
    return struct.pack(">4I", magic, n, side, side) + bytes(n * side * side)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not an IDX file of 3-dimensional bytes"),
        (b"<html>not found</html>", "is not an IDX file"),
        (image_bytes(magic=0x801), "is not an IDX file"),
        (image_bytes(magic=0xD03), "is not an IDX file"),
        (image_bytes()[:9], "ends in the middle of its header"),
        (image_bytes()[:-1], "holds 235,199 bytes where its header promises 235,200"),
        (image_bytes() + b"x", "holds more than 235,200 bytes"),
        (struct.pack(">4I", 0x803, *[2**31] * 3), "more than any data set"),
        (image_bytes(side=32), "holds images of 32 x 32, not 28 x 28"),
        (image_bytes(n=299), "holds 299 images, but there are 300 labels"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_bad_file_is_named_with_a_remedy(
    tmp_path: Path, content: bytes, said: str, packed: bool
) -> None:
    real = make_root(tmp_path / "real")
    path = real / "MNIST" / "raw" / "t10k-images-idx3-ubyte"
    path.unlink()
    if packed:
        path = path.with_name(path.name + ".gz")
        content = gzip.compress(content)
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        data.prepare(MNIST, 1, real, tmp_path / "cache")
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert "download" in str(caught.value)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("cut", [5, 40])
def test_a_broken_gzip_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(image_bytes())[:cut])
    with pytest.raises(InputError, match="cannot be read"):
        data.read_idx(path, 3)


def test_a_label_beyond_the_classes_is_refused(tmp_path: Path) -> None:
    real = make_root(tmp_path / "real")
    write(real / "MNIST" / "raw" / "t10k-labels-idx1-ubyte", np.full(300, 10, np.uint8))
    with pytest.raises(InputError, match="label 10"):
        data.prepare(MNIST, 1, real, tmp_path / "cache")


@pytest.mark.parametrize(("train", "test"), [(5, 300), (600, 12), (0, 0)])
def test_too_few_images_are_refused(tmp_path: Path, train: int, test: int) -> None:
    with pytest.raises(InputError, match="too few"):
        data.prepare(MNIST, 1, make_root(tmp_path / "real", train, test), tmp_path / "cache")


# Finding ---------------------------------------------------------------------------------------


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has no data anywhere; returns their home."""
    home = tmp_path / "home"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    for name in ("FIVE_BEATS_DATA", "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    return home


def test_the_order_of_the_places(
    nobody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data.find_root("mnist", None, None) is None
    own = make_root(nobody / "data")
    assert data.find_root("mnist", None, None) == own
    nearer = make_root(Path("data")).resolve()
    assert data.find_root("mnist", None, None) == nearer
    variable = make_root(tmp_path / "variable")
    monkeypatch.setenv("FIVE_BEATS_DATA", str(variable))
    assert data.find_root("mnist", None, None) == variable
    course = make_root(tmp_path / "course")
    assert data.find_root("mnist", None, course) == course
    given = make_root(tmp_path / "given")
    assert data.find_root("mnist", given, course) == given


def test_only_a_root_with_that_data_set_counts(
    nobody: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIVE_BEATS_DATA", str(make_root(tmp_path / "variable")))
    fashion = make_root(nobody / "data", folder="FashionMNIST")
    assert data.find_root("fashion-mnist", None, make_root(tmp_path / "course")) == fashion
    (fashion / "FashionMNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    assert data.find_root("fashion-mnist", None, None) is None


@pytest.mark.usefixtures("nobody")
def test_the_digits_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_root(Path("data"))
    root = make_root(tmp_path / "real")
    assert data.find_root("mnist", Path("embedded"), root) is None
    assert data.find_root("mnist", None, Path("embedded")) is None
    monkeypatch.setenv("FIVE_BEATS_DATA", "embedded")
    assert data.find_root("mnist", None, None) is None
    assert data.find_root("mnist", root, None) == root


@pytest.mark.usefixtures("nobody")
def test_a_given_root_without_the_data_set_is_an_error(tmp_path: Path) -> None:
    root = make_root(tmp_path / "real")
    with pytest.raises(InputError) as caught:
        data.find_root("fashion-mnist", root, None)
    for name in data.FILES:
        assert f"FashionMNIST/raw/{name}" in str(caught.value)
    assert "--data" in str(caught.value)
    (root / "MNIST" / "raw" / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError) as caught:
        data.find_root("mnist", root, None)
    assert "has no MNIST/raw/train-labels-idx1-ubyte (nor" in str(caught.value)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("inner", ["MNIST", "MNIST/raw"])
def test_a_folder_within_the_root_is_told_the_right_one(tmp_path: Path, inner: str) -> None:
    root = make_root(tmp_path / "real")
    with pytest.raises(InputError, match="lies inside the MNIST data set") as caught:
        data.find_root("mnist", root / inner, None)
    assert f"(give {root})" in str(caught.value)


@pytest.mark.usefixtures("nobody")
def test_a_named_folder_that_is_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(InputError, match="--data is not a folder"):
        data.find_root("mnist", gone, None)
    with pytest.raises(InputError, match=r"`data` of grading_config.yml is not a folder"):
        data.find_root("mnist", None, gone)
    monkeypatch.setenv("FIVE_BEATS_DATA", str(gone))
    with pytest.raises(InputError, match="FIVE_BEATS_DATA is not a folder"):
        data.find_root("mnist", None, None)
