"""Look for barriers in report pages with axe-core, in a headless Chromium.

    npm pack axe-core && tar xzf axe-core-*.tgz
    python scripts/axe.py package/axe.min.js graded/report/index.html graded/report/students/*.html

Each page is looked at wide, narrow and dark; every finding is a line, and the exit status is 1 if
there is one. Needs the package `playwright` and a Chromium on the PATH.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

VIEWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(axe: Path, pages: list[Path]) -> int:
    """Print what axe finds; returns the exit status."""
    from playwright.sync_api import sync_playwright

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("no Chromium is on the PATH; scripts/setup.sh browser installs one")
        return 2
    findings = 0
    with sync_playwright() as p:
        chromium = p.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, view in VIEWS.items():
            for path in pages:
                page = chromium.new_context(**view).new_page()
                page.goto(path.resolve().as_uri())
                page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
                page.evaluate(axe.read_text(encoding="utf-8"))
                told = page.evaluate(
                    "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", RULES
                )
                for rule in told["violations"]:
                    for node in rule["nodes"]:
                        findings += 1
                        why = " ".join(node["failureSummary"].split())[:240]
                        print(f"{path.name} ({name}): {rule['id']}: {node['target'][0]}: {why}")
                page.close()
        chromium.close()
    print(f"{findings} findings on {len(pages)} pages, each seen {', '.join(VIEWS)}")
    return min(findings, 1)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
