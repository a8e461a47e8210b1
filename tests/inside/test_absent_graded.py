"""What becomes of whole submissions that import what the grader lacks, in a real box.

sklearn, seaborn and the like are no part of the environment, so nothing has to be taken away here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.authoring.master import reference
from autograder.model import Program, Result, Status, Submission
from autograder.results.files import summary
from tests.samples import ROOT, QuickGrader

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
FOUR, FIVE, SIX = "04-training-loop", "05-five-beats", "06-line-by-line"


@pytest.fixture(scope="module")
def grader() -> Iterator[QuickGrader]:
    with QuickGrader(ROOT) as made:
        yield made


def graded(
    grader: QuickGrader,
    assignment: str,
    changes: dict[str, str],
    top: str = "",
    kind: str = "script",
) -> Result:
    """The result of the reference with some of its text changed, and lines above and below it."""
    spec = grader.assignment(assignment)
    text = reference(ROOT / "source" / assignment, spec, "script").text
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    text = f"{top}\n\n\n{text}"
    cells = (text,) if kind == "script" else tuple(c for c in text.split("\n\n\n") if c.strip())
    suffix = "py" if kind == "script" else "ipynb"
    program = Program(
        "script" if kind == "script" else "notebook", f"{spec.module}.{suffix}", cells
    )
    return grader.grade(Submission("ada", assignment, program, {})).result


BY_SKLEARN = {
    "    correct, count = 0, 0\n    with": "    truth, said = [], []\n    with",
    "            correct += (predicted == labels).sum().item()\n            count += len(labels)\n":
    "            said += predicted.tolist()\n            truth += labels.tolist()\n",
    "    return correct / count\n": "    return accuracy_score(truth, said)\n",
}  # fmt: skip
SKLEARN = "from sklearn.metrics import accuracy_score, classification_report"


@pytest.mark.parametrize("kind", ["script", "notebook"])
def test_an_accuracy_by_an_absent_module_is_nobodys_mistake(grader: QuickGrader, kind: str) -> None:
    result = graded(grader, FIVE, BY_SKLEARN, SKLEARN, kind)
    assert result.status == "ungradable" and result.bugs == ()
    assert {c.status for c in result.checks} <= {Status.PASSED, Status.UNGRADABLE}
    assert "the module 'sklearn'" in summary(result) and "modules:" in summary(result)
    passed = {c.id for c in result.checks if c.status is Status.PASSED}
    assert {"zero_grad", "beats", "objective", "mlp_shape"} <= passed


@pytest.mark.parametrize(
    ("changes", "top"),
    [
        ({"loss = train_one_epoch()": "loss = train_one_epoch(); best = max(0.0, f1_score([1], [1]))"},
         "from sklearn.metrics import f1_score"),
        ({"model = MLP(hidden=256)": "import timm\nmodel = timm.create_model('mlp')\nmodel = model"}, ""),
        ({"torch.optim.AdamW(model": "RAdam(model"}, "from torch_optimizer import RAdam"),
        ({"set_seed(42)\n": "import zorblax.plots as z\nset_seed(42)\n"}, ""),
        ({"x.flatten(1)": "rearrange(x, 'b c h w -> b (c h w)')"}, "from einops import rearrange"),
        ({}, "import zorblax"),
    ],
)  # fmt: skip
def test_whatever_needs_it_a_person_is_asked(
    grader: QuickGrader, changes: dict[str, str], top: str
) -> None:
    result = graded(grader, FIVE, changes, top)
    assert result.status == "ungradable" and result.bugs == (), summary(result)
    assert {c.status for c in result.checks} <= {Status.PASSED, Status.UNGRADABLE}


def test_a_matrix_by_an_absent_module_is_not_called_wrong(grader: QuickGrader) -> None:
    changes = {
        "    matrix = torch.zeros(n_classes, n_classes, dtype=torch.int64)\n": "    truth, said = [], []\n",
        "            pairs = torch.bincount(labels * n_classes + predicted, minlength=n_classes**2)\n"
        "            matrix += pairs.reshape(n_classes, n_classes)\n    return matrix\n":
        "            truth += labels.tolist()\n            said += predicted.tolist()\n"
        "    return metrics.confusion_matrix(truth, said, labels=range(n_classes))\n",
    }  # fmt: skip
    result = graded(grader, FOUR, changes, "from sklearn import metrics")
    assert result.status == "ungradable" and result.bugs == ()
    lost = {c.id for c in result.checks if c.status is not Status.PASSED}
    assert lost and all("confusion" in i for i in lost), summary(result)


def test_a_printed_figure_of_an_absent_module_is_not_called_wrong(grader: QuickGrader) -> None:
    changes = {
        "correct = 0\n": "truth, said = [], []\n",
        "        correct += (net(images).argmax(dim=1) == labels).sum().item()\n":
        "        truth += labels.tolist()\n        said += net(images).argmax(dim=1).tolist()\n",
        "{correct / len(test_set):.4f}": "{accuracy_score(truth, said):.4f}",
    }  # fmt: skip
    result = graded(grader, SIX, changes, SKLEARN)
    assert result.status == "ungradable" and result.bugs == ()
    lost = {c.id for c in result.checks if c.status is not Status.PASSED}
    assert lost == {"printed"}, summary(result)


LOST = {"        optimizer.zero_grad()\n": ""}
ENDS = 'print(f"best accuracy'


@pytest.mark.parametrize(
    ("top", "end"),
    [
        ("import seaborn as sns, wandb\nsns.set_theme()\nwandb.init(config={'a': 1})", "sns.lineplot(x=[1], y=[2])"),
        (SKLEARN, "print(classification_report([0, 1], [0, 1]))"),
        ("import pandas as pd", "print(pd.DataFrame({'a': [1]}))"),
    ],
)  # fmt: skip
def test_a_bug_beside_a_picture_or_a_log_is_named_as_ever(
    grader: QuickGrader, top: str, end: str
) -> None:
    result = graded(grader, FIVE, {**LOST, ENDS: f"{end}\n{ENDS}"}, top)
    assert result.status == "graded" and result.bugs == ("missing_zero_grad",)


@pytest.mark.parametrize("kind", ["script", "notebook"])
def test_what_is_done_before_it_is_needed_counts(grader: QuickGrader, kind: str) -> None:
    end = f'{ENDS}: {{best_acc:.4f}}")\nfrom sklearn.metrics import roc_auc_score\nauc = float(roc_auc_score([0, 1], [0, 1]))'
    result = graded(grader, FIVE, {f'{ENDS}: {{best_acc:.4f}}")': end}, "", kind)
    assert (result.status, result.score) == ("graded", result.max_score), summary(result)


@pytest.mark.parametrize("top", ["import helpr", "import troch", "from utils import MLP"])
def test_a_slip_is_no_fault_of_the_graders(grader: QuickGrader, top: str) -> None:
    result = graded(grader, FIVE, {}, top)
    assert result.status == "graded" and result.score == 0
    assert "ModuleNotFoundError" in summary(result)
