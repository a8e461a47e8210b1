"""The command line: each verb has a module, a few lines that call the one which does the work.

Exit status: 0 all graded, 1 some ungradable (or the machine cannot), 2 wrong use, 128 and the
number of the signal that broke it off (130 for Ctrl-C). An error is one line on stderr: what,
where, remedy. Results go to stdout, progress to stderr and only on a terminal.

Nothing heavy is imported at module level, so that `autograder --help` answers at once:
torch, numpy, pydantic, jinja2 and rich come in with the verb that needs them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys

import typer

from ..errors import FiveBeatsError, InputError, Stopped
from . import (
    adjust,
    calibrate,
    check,
    doctor,
    export,
    grade,
    image,
    new,
    package,
    regrade,
    release,
    report,
    similar,
    status,
    watch,
)

_NO_FAULT_OF_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What a disk that is full, closed or broken says."""

app = typer.Typer(
    name="autograder",
    help="Five Beats: a PyTorch course whose assignments grade themselves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_NEGATIVE = {"ignore_unknown_options": True}
"""`-1` are points that are taken away, and no option."""

app.add_typer(image.app, name="image")
for verb in (
    new.new,
    release.release,
    watch.watch,
    check.check,
    grade.grade,
    regrade.regrade,
    adjust.adjust,
    report.report,
    status.status,
    similar.similar,
    export.export,
    package.package,
    calibrate.calibrate,
    doctor.doctor,
):
    app.command(context_settings=_NEGATIVE if verb is adjust.adjust else None)(verb)


def _stop(number: int, frame: object) -> None:
    raise Stopped(number)


def main() -> None:
    """The entry point of the command."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` asks for
            signal.signal(number, _stop)
    try:
        app()
    except FiveBeatsError as e:
        print(f"autograder: {e}", file=sys.stderr)
        sys.exit(2 if isinstance(e, InputError) else 1)
    except (Stopped, KeyboardInterrupt) as e:
        # Perhaps the second: threads may still wait for their boxes, which die with us.
        status = e.status if isinstance(e, Stopped) else Stopped().status
        told = "broken off; the same command goes on from here, and runs nothing a second time"
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(f"autograder: {told}", file=sys.stderr, flush=True)
        os._exit(status)
    except BrokenPipeError:  # `autograder … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as e:
        full = "usable temporary directory" in str(e)  # what `tempfile` says of a full disk
        if e.errno not in _NO_FAULT_OF_OURS and not full:
            raise
        print(f"autograder: {e.filename or 'a file'}: {e.strerror or e}", file=sys.stderr)
        sys.exit(1)
