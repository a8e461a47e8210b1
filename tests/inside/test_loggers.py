"""A correct program keeps full marks whatever bars, loggers and odd habits it has, in a real box.

The reference solutions of 04 and 05 get every bar there is around each loop over batches and
around the epochs, lines of every logger, or all that asks for a person, a screen or a network;
modules that this machine may have are taken away in the program's first line. What each does by
itself is looked at in `test_tame` and `test_absent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from autograder.authoring.master import reference
from autograder.model import Program, Result, Submission
from tests.samples import ROOT, QuickGrader

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ABSENT = "import sys\nsys.modules.update(dict.fromkeys(%r))\n"
AWAY = (
    "ipywidgets", "pandas", "seaborn", "sklearn", "tensorboard", "tensorboardX", "wandb", "mlflow",
    "torchinfo", "alive_progress", "fastprogress", "progressbar", "enlighten", "torchmetrics",
)  # fmt: skip


@dataclass(frozen=True)
class Extra:
    """What is put into a program: lines at its top, around its loops, and in each batch and epoch.

    `%s` in `batches` and `epochs` is what the loop goes through.
    """

    top: str
    batches: str = "%s"
    epochs: str = "%s"
    batch: str = ""
    epoch: str = ""
    end: str = ""


LADEN = {
    "bars": Extra(
        "import progressbar, enlighten, tqdm.notebook\n"
        "from tqdm import tqdm as a, tqdm_notebook as b\n"
        "from tqdm.auto import tqdm as c, trange\n"
        "from tqdm.notebook import tqdm as d, tnrange\n"
        "from tqdm.autonotebook import tqdm as e\n"
        "from rich.progress import track, Progress\n"
        "from alive_progress import alive_it, alive_bar\n"
        "from fastprogress import progress_bar, master_bar\n"
        "from ipywidgets import IntProgress, HTML, VBox\n"
        "from IPython.display import display, clear_output\n"
        "bar = d(total=10, unit='batch', position=0)\n"
        "w = IntProgress(min=0, max=9)\nlabel = HTML('x')\ndisplay(VBox([label, w]))",
        "(mine := a(b(c(d(e(track(alive_it(progress_bar(enlighten.Manager().counter()("
        "progressbar.progressbar(%s))), title='x'), description='y')), desc='z', leave=False)))))",
        "master_bar(d(track(list(trange(len(%s))))))",
        "bar.update(1); bar.set_postfix(loss=loss.item()); w.value += 1; "
        "label.value = f'{loss:.3f}'",
        "bar.write('epoch'); bar.reset(); clear_output(wait=True)",
        "bar.close(); w.close()",
    ),
    "loggers": Extra(
        "import wandb, mlflow, logging, torchinfo\nimport pandas as pd\nimport seaborn as sns\n"
        "import matplotlib.pyplot as plt\nfrom torch.utils.tensorboard import SummaryWriter\n"
        "from tensorboardX import SummaryWriter as Other\nfrom loguru import logger\n"
        "from sklearn.metrics import classification_report, confusion_matrix as cm\n"
        "from torch import nn as n\nsns.set_theme()\nmlflow.autolog()\nmlflow.start_run()\n"
        "run = wandb.init(project='x', config={'epochs': 3})\nwriter = SummaryWriter('runs')\n"
        "other = Other()\nprint(torchinfo.summary(n.Linear(2, 2), (1, 2)))\nrows = []\n"
        "logging.basicConfig(level=logging.INFO, filename='x.log', force=True)",
        batch="wandb.log({'loss': loss}); writer.add_scalar('loss', loss.item(), 1); "
        "other.add_scalar('loss', loss, 1); logging.debug('%.3f', loss)",
        epoch="mlflow.log_metric('a', 1.0, step=2); writer.flush(); logger.info('epoch {}', 1); "
        "rows.append({'epoch': 1, 'loss': 2.0}); print(classification_report([0, 1], [0, 0]))",
        end="table = pd.DataFrame(rows); print(table.to_string()); table.to_csv('h.csv'); "
        "fig, ax = plt.subplots(); sns.heatmap(cm([0], [0]), ax=ax); ax.plot(table['loss']); "
        "plt.show(); plt.close(fig); run.summary['a'] = 1; wandb.finish(); mlflow.end_run()",
    ),
    "habits": Extra(
        "import argparse, getpass, os, subprocess\nfrom google.colab import drive, files, userdata\n"
        "import matplotlib\nmatplotlib.use('TkAgg')\nimport matplotlib.pyplot as plt\n"
        "drive.mount('/content/drive')\nos.chdir('/content/drive/MyDrive/hw')\n"
        "subprocess.check_call([sys.executable, '-m', 'pip', 'install', '-q', 'seaborn'])\n"
        "os.environ['WANDB_API_KEY'] = userdata.get('KEY') or getpass.getpass()\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float, default=1e-3)\n"
        "args = parser.parse_args()\ninput('press Enter to begin')\n"
        "if input('really? [y/n] ') != 'y':\n    sys.exit(1)\n"
        "os.makedirs('runs', exist_ok=True)\nos.chdir('runs')\n"
        "if __name__ == '__main__':\n    print(args.lr)",
        epoch="plt.plot([1]); plt.show(); plt.close('all'); breakpoint()",
        end="files.download('best_mlp.pt'); os.chdir('/tmp')",
    ),
}

PLACES = {
    "04-training-loop": (
        ("dataloader",), ("for _ in range(epochs):", "range(epochs)"), "        optimizer.step()\n",
        "(evaluate(model, val_loader))\n", "    return history\n",
    ),
    "05-five-beats": (
        ("train_loader", "test_loader"), ("for epoch in range(3):", "range(3)"),
        "        scaler.update()\n", "    accuracy = evaluate()\n", 'print(f"best accuracy',
    ),
}  # fmt: skip
"""Of each reference: its loaders, epochs, the last lines of a batch and of an epoch, the end."""


def put_in(assignment: str, text: str, extra: Extra) -> str:
    """The reference's text with what `extra` puts into it."""
    loaders, (epochs, count), batch, epoch, end = PLACES[assignment]
    pad = "    " if end.startswith(" ") else ""
    changes = [
        (f"for images, labels in {n}:", f"for images, labels in {extra.batches.replace('%s', n)}:")
        for n in loaders
    ]
    changes += [
        (epochs, epochs.replace(count, extra.epochs.replace("%s", count))),
        (batch, f"{batch}        {extra.batch or 'pass'}\n"),
        (epoch, f"{epoch}{pad}    {extra.epoch or 'pass'}\n"),
        (end, f"{pad}{extra.end or 'pass'}\n{end}"),
    ]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return ABSENT % (AWAY,) + extra.top + "\n" + text


@pytest.fixture(scope="module")
def grader() -> Iterator[QuickGrader]:
    with QuickGrader(ROOT) as made:
        yield made


def graded(grader: QuickGrader, assignment: str, kind: str, extra: Extra) -> Result:
    spec = grader.assignment(assignment)
    source = reference(ROOT / "source" / assignment, spec, "script").text
    text = put_in(assignment, source, extra)
    cells: tuple[str, ...] = (text,)
    if kind == "notebook":
        cells = tuple(c for c in text.split("\n\n\n") if c.strip())
    suffix = "py" if kind == "script" else "ipynb"
    program = Program(
        "script" if kind == "script" else "notebook", f"{spec.module}.{suffix}", cells
    )
    return grader.grade(Submission("ada", assignment, program, {})).result


@pytest.mark.parametrize("kind", ["script", "notebook"])
@pytest.mark.parametrize("assignment", PLACES)
@pytest.mark.parametrize("name", LADEN)
def test_it_costs_nothing(grader: QuickGrader, assignment: str, kind: str, name: str) -> None:
    result = graded(grader, assignment, kind, LADEN[name])
    lost = [f"{c.id}: {c.status}: {c.message}" for c in result.checks if c.score < c.max_score]
    assert result.status == "graded" and not lost, (lost, result.notes)
    assert not any("while running" in n for n in result.notes), result.notes
