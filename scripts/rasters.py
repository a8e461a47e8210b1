"""Draws every picture of the handouts again as a PNG, for notebooks: scripts/rasters.py [--check]

    source/<id>/img/tape.svg   what is drawn          ->   tape.png   by a headless Chromium

A compiled notebook carries its pictures within it, so that they are there in Colab too, which has
only the notebook. Colab shows neither attachments nor an SVG in a `data:` address
(googlecolab/colabtools 3836 and 2092); a PNG in one is what its own editor writes. Each PNG says in
its metadata which SVG it was drawn from, so that a stale one is found without drawing it again.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, PngImagePlugin

ROOT = Path(__file__).resolve().parent.parent
KEY = "svg-sha256"
SCALE = 1.5
"""Sharp enough on a dense screen, and no wider than a notebook's cell."""
COLOURS = 64
"""Flat colours and the edges of letters need no more, and a file is a third as large."""


def digest(svg: Path) -> str:
    """The sha256 of a picture."""
    return hashlib.sha256(svg.read_bytes()).hexdigest()


def drawn_from(png: Path) -> str:
    """The digest of the SVG that a PNG says it was drawn from; empty where there is none."""
    if not png.is_file():
        return ""
    with Image.open(png) as image:
        return str(image.info.get(KEY, ""))


def stale() -> list[Path]:
    """The pictures whose PNG is missing or drawn from another state of them."""
    return [p for p in sorted(ROOT.glob("source/*/img/*.svg")) if drawn_from(_png(p)) != digest(p)]


def _png(svg: Path) -> Path:
    return svg.with_suffix(".png")


def draw(svg: Path, browser: str) -> None:
    """Write the PNG of one picture."""
    size = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg.read_text(encoding="utf-8"))
    if size is None:
        raise SystemExit(f"{svg}: no viewBox that begins at 0 0")
    width, height = int(size[1]), int(size[2])
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "page.html", Path(folder) / "shot.png"
        text = svg.read_text(encoding="utf-8")
        page.write_text(
            '<meta charset="utf-8"><style>body{margin:0}svg{display:block}</style>'
            + text.replace("<svg ", f'<svg width="{width}" height="{height}" ', 1),
            encoding="utf-8",
        )
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--force-device-scale-factor={SCALE}", f"--screenshot={shot}"]
        # a window is never narrower than 500, and loses some of its height to a bar
        command += [f"--window-size={max(width, 500)},{height + 200}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        with Image.open(shot) as whole:
            cut = whole.convert("RGB").crop((0, 0, round(width * SCALE), round(height * SCALE)))
    few = cut.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    about = PngImagePlugin.PngInfo()
    about.add_text(KEY, digest(svg))
    few.save(_png(svg), optimize=True, pnginfo=about)


def main() -> None:
    """Draw what is stale, or with `--check` only say so."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where one is old")
    check = parser.parse_args().check
    old = stale()
    for svg in old:
        print(svg.relative_to(ROOT))
    if check:
        sys.exit(1 if old else 0)
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next((found for found in map(shutil.which, names) if found), None)
    if old and browser is None:
        sys.exit("rasters: no Chromium found; install the package 'chromium'")
    for svg in old:
        draw(svg, str(browser))


if __name__ == "__main__":
    main()
