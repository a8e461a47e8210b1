"""What the finders of `autograder watch` see in the student's own run, at no cost in points.

Grading runs a program once, and has that run recorded (`inside/probes/recorder.py`); the record is
one more piece of evidence. What a finder says of it is told beside the checks, unless one of them
names it already. It is testimony, and decides nothing: where there is no record, or one that cannot
be read, nothing is told, and that is no all-clear.

A finder speaks only where no innocent explanation is left. Grading adds one: its images are a few
of those that the program was written for. Then a slice with fixed numbers may overlap another, a
training ends after thirty steps instead of two thousand, and a last batch is a large part of all.
So what is a matter of how many images there are, or how many steps, is not told of an assignment
whose images are cut (`BY_SIZE`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from ..course.config import Assignment
from ..errors import FiveBeatsError, MachineLostError
from ..model import AlsoSeen, Evidence, LoadReport, ProbeRequest
from ..text import clean
from ..watch.findings import Finding, Log, findings

REQUEST = ProbeRequest("flight:own_run", {}, start="loaded", check_s=20.0)
"""Asks the run that was recorded for its record."""
BY_SIZE = frozenset(
    {
        "split_overlap",  # two slices of fixed length lie apart in more images
        "lr_too_high",  # a loss that rises may come down again in a longer training
        "lr_too_low",  # and one that rests may move
        "mean_of_batch_means",  # the batches may all be of one size
        "wrong_accuracy",  # a number of images that is written down is another one
        "batches_lost",  # the batches may come out even
    }
)
"""What depends on how many images there are, or how many steps are made of them."""
FOLLOWS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"missing_backward": frozenset({"stale_optimizer", "not_in_optimizer", "missing_step"})}
)
"""What a bug that a check names looks like to a finder: without a backward pass no gradient reaches
what any optimizer holds.
"""
EVENTS_CAP = 6_000
"""A record of more events than the recorder writes of such a run (a few hundred) was tampered with,
and to read one without end costs time.
"""
MESSAGE_CAP = 400
SEEN = "seen"

Ask = Callable[[ProbeRequest], Evidence]


def also_seen(
    assignment: Assignment, load: LoadReport, ask: Ask, named: Collection[str]
) -> tuple[tuple[AlsoSeen, ...], str]:
    """What the finders see beyond the bugs `named`, and in words whether they could look: `SEEN`,
    or why not.

    Raises `MachineLostError` from `ask`; whatever else goes wrong is a reason.
    """
    if load.status not in ("done", "error"):
        return (), "not seen: the program did not come to its end"
    if load.data.get("trained") is not True:
        return (), "not seen: the program called and trained nothing by itself"
    try:
        evidence = ask(REQUEST)
        if evidence.status != "done":
            return (), f"not seen: {clean(evidence.detail)[:200] or evidence.status}"
        if "unseen" in evidence.data:
            return (), f"not seen: {clean(str(evidence.data['unseen']))[:200]}"
        log = Log.of(evidence.data)
        if len(log.events) > EVENTS_CAP:
            return (), f"not seen: {len(log.events)} events are too many"
        found = findings(log)
    except MachineLostError:
        raise
    except FiveBeatsError as e:
        return (), f"not seen: {clean(str(e))[:200]}"
    except Exception as e:  # noqa: BLE001 - a finder's failure over a stranger's bytes costs nobody
        return (), f"not seen: the finders failed: {type(e).__name__}"
    unsure = BY_SIZE if assignment.data is not None else frozenset()
    told_already = {*named, *(follows for b in named for follows in FOLLOWS.get(b, ()))}
    told = (f for f in found if f.kind == "bug" and f.bug not in told_already | unsure)
    return tuple(map(_told, told)), SEEN


def _told(finding: Finding) -> AlsoSeen:
    def whole(value: object) -> int | None:
        return value if isinstance(value, int) and 0 <= value < 10**6 else None

    return AlsoSeen(
        finding.bug,
        clean(finding.message)[:MESSAGE_CAP],
        clean(finding.file)[:100],
        whole(finding.line),
        whole(finding.cell),
    )
