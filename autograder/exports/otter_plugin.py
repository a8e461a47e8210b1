"""A plugin of otter-grader: partial credit, which otter's test cases cannot give.

`otter assign` names it in the autograder it makes; otter calls it after grading. A hidden test
case that gave a check's points in part has failed, with the points in its message
(`autograder.live.demand`); here they are added to the question's score.
"""

from __future__ import annotations

import re
from typing import Any

from otter.plugins import AbstractOtterPlugin

EARNED = re.compile(r"\(earned (\d+(?:\.\d+)?) of \d+(?:\.\d+)? points\)\s*$")


class PartialCredit(AbstractOtterPlugin):  # type: ignore[misc] # otter ships no types
    """Adds to each question what its failed test cases earned in part."""

    IMPORTABLE_NAME = "autograder.exports.otter_plugin.PartialCredit"

    def after_grading(self, results: Any) -> None:
        """`results` is otter's GradingResults; scores are set by question."""
        for name, question in results.results.items():
            earned = 0.0
            for case in question.test_case_results:
                most = float(case.test_case.points)
                part = EARNED.search(case.message or "")
                earned += most if case.passed else min(float(part[1]) if part else 0.0, most)
            results.update_score(name, round(earned, 4))
