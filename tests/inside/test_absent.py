"""Modules that a program imports and its environment lacks: `inside/absent.py` and `known.py`.

Each program runs as a script and as a notebook of one cell, in a fork in which none of these modules
is installed, whatever this machine has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder.inside import absent, known
from autograder.inside.box.answer import answer
from autograder.inside.program import Program
from tests.loading import in_fork, notebook, script

WITHOUT = (
    "pandas", "seaborn", "sklearn", "scipy", "wandb", "tensorboard", "tensorboardX", "torchinfo",
    "torchsummary", "mlflow", "ipywidgets", "plotly", "lightning", "torchmetrics", "psutil",
    "einops", "google", "alive_progress", "fastprogress", "tabulate", "loguru", "torch_optimizer",
)  # fmt: skip
NUMBERS = "import torch\ny = torch.tensor([0, 1, 2])\np = torch.tensor([0, 1, 1])\n"
LOADER = "import torch\nloader = [(torch.ones(2), i) for i in range(4)]\nseen = []\n"


def what_became(program: Program) -> Any:
    """Errors, needs, whether the last line ran, and what was used."""
    errors = [(e["type"], e["message"], e["line"]) for e in program.errors]
    return errors, absent.needs(), "ok" in program.namespace, absent.used()


def both(text: str, home: Path) -> list[Any]:
    made = [script(text), notebook(text)]
    return [in_fork(p, what_became, home, WITHOUT) for p in made]


SHOWN = {
    "heatmap": NUMBERS + "import seaborn as sns\nimport matplotlib.pyplot as plt\n"
    "sns.set_theme(style='darkgrid')\nfig, ax = plt.subplots()\n"
    "sns.heatmap(torch.eye(3), annot=True, ax=ax)\nax.set_title('x')\nplt.show()",
    "facets": "import seaborn as sns\ng = sns.FacetGrid(None, col='a')\n"
    "g.map(print, 'b').add_legend().set_titles('{col_name}')\ng.fig.savefig('x.png')",
    "two axes": "import seaborn as sns\nfig, (a, b) = sns.subplots(2)\na.plot([1])\nsns.despine()",
    "from": "from seaborn import lineplot, color_palette as palette\nlineplot(x=[1], y=[2])\n"
    "print(palette('deep', 10))",
    "summary": "from torch import nn\nfrom torchinfo import summary\nnet = nn.Linear(2, 2)\n"
    "summary(net, (1, 2))\nprint(summary(net, input_size=(1, 2), verbose=0))\n"
    "text = str(summary(net))\nwith open('s.txt', 'w') as f:\n    f.write(text)",
    "old summary": "from torch import nn\nfrom torchsummary import summary\n"
    "summary(nn.Linear(2, 2).to('cpu'), input_size=(2,), device='cpu')",
    "writer": "import torch\nfrom torch import nn\nfrom torch.utils.tensorboard import SummaryWriter\n"
    "net = nn.Linear(2, 2)\nwriter = SummaryWriter('runs/x', comment='y')\n"
    "loss = net(torch.ones(1, 2)).sum()\nwriter.add_scalar('loss', loss, 0)\n"
    "writer.add_graph(net, torch.ones(1, 2))\nwriter.add_hparams({'lr': 1}, {'acc': 0.5})\n"
    "if writer:\n    writer.flush()\nwriter.close()",
    "writer in a with": "import torch.utils.tensorboard as tb\n"
    "with tb.SummaryWriter() as w:\n    w.add_text('a', 'b')",
    "writer by its package": "from torch.utils import tensorboard\n"
    "w = tensorboard.SummaryWriter()\nw.add_scalars('a', {'b': 1}, 2)",
    "writer by its name": "import torch\nimport torch.utils.tensorboard\n"
    "w = torch.utils.tensorboard.SummaryWriter(log_dir='x')\nw.close()",
    "tensorboardX": "from tensorboardX import SummaryWriter\n"
    "class Mine(SummaryWriter):\n    def __init__(self, where):\n        super().__init__(where)\n"
    "        self.where = where\nm = Mine('x')\nm.add_scalar('a', 1)\nassert m.where == 'x'",
    "wandb": "import torch\nfrom torch import nn\nimport wandb\nnet = nn.Linear(2, 2)\n"
    "wandb.login()\nrun = wandb.init(project='x', config={'lr': 0.1, 'epochs': 2})\n"
    "config = wandb.config\nwandb.watch(net, log='all')\n"
    "opt = torch.optim.SGD(net.parameters(), lr=config.lr)\n"
    "for e in range(config['epochs']):\n    wandb.log({'loss': net(torch.ones(1, 2)).sum(), 'e': e})\n"
    "wandb.log({'img': wandb.Image(torch.ones(2, 2))}, step=1)\n"
    "if wandb.run is not None:\n    wandb.run.summary['best'] = 0.9\nrun.finish()\n"
    "assert opt.param_groups[0]['lr'] == 0.1 and run.config.epochs == 2",
    "wandb in a with": "import argparse, wandb\n"
    "args = argparse.Namespace(lr=0.5)\nwith wandb.init(config=args) as run:\n"
    "    run.log({'lr': run.config.lr})\n    run.config.update({'more': 1}, allow_val_change=True)\n"
    "assert wandb.config.more == 1 and abs(wandb.config['lr'] - 0.5) < 1e-9",
    "wandb settings": "import wandb\nwandb.config.lr = 0.1\nwandb.config.update(dict(a=2))\n"
    "assert wandb.config.lr * wandb.config.a == 0.2",
    "saved beside a run": "import os, torch, wandb\nwandb.init()\n"
    "torch.save({'a': torch.ones(1)}, os.path.join(wandb.run.dir, 'm.pt'))\nwandb.save('m.pt')",
    "mlflow": "import mlflow\nmlflow.set_experiment('x')\nwith mlflow.start_run(run_name='y') as run:\n"
    "    mlflow.log_param('a', 1)\n    mlflow.log_metrics({'b': 2.0}, step=1)\n"
    "    print(run.info.run_id)\nmlflow.pytorch.log_model(None, 'm')",
    "table": "import pandas as pd\nh = pd.DataFrame({'loss': [1.0, 0.5]})\nprint(h)\nprint(h.describe())\n"
    "h['epoch'] = [1, 2]\nh.plot(x='epoch', y='loss')\nh.to_csv('h.csv', index=False)\nh",
    "table drawn": "import pandas as pd\nimport matplotlib.pyplot as plt\n"
    "h = pd.DataFrame({'loss': [1.0, 0.5]})\nplt.plot(h.index, h['loss'], label='a')\n"
    "plt.plot([h.loss.mean(), 2])\nfig, ax = plt.subplots()\nax.bar(h['a'], h['b'])\n"
    "plt.title(f'best {h.loss.min():.3f}')\nplt.legend()\nplt.savefig('h.png')\nplt.show()",
    "matrix drawn": NUMBERS + "from sklearn.metrics import confusion_matrix, ConfusionMatrixDisplay\n"
    "import matplotlib.pyplot as plt\ncm = confusion_matrix(y, p)\ncm = cm / cm.sum(axis=1)\n"
    "im = plt.imshow(cm, cmap='Blues')\nplt.colorbar(im)\n"
    "ConfusionMatrixDisplay(cm, display_labels=list('abc')).plot(cmap='Blues')\n"
    "fig, ax = plt.subplots()\nfig.colorbar(ax.matshow(cm), ax=ax)\nplt.close('all')",
    "report printed": NUMBERS + "from sklearn.metrics import classification_report, accuracy_score\n"
    "from sklearn import metrics\nprint(classification_report(y, p, digits=4, zero_division=0))\n"
    "acc = accuracy_score(y.numpy(), p.numpy())\nprint(f'accuracy {acc:.4f}, {100 * acc:6.2f} %')\n"
    "print('f1 %.3f (%d)' % (metrics.f1_score(y, p, average='macro'), acc))\n"
    "print('{:.2f}'.format(acc), round(acc, 3), str(acc))\n"
    "import logging\nlogging.warning('accuracy %.2f', acc)",
    "unpacked and printed": NUMBERS + "from sklearn.metrics import precision_recall_fscore_support\n"
    "a, b, c, d = precision_recall_fscore_support(y, p)\nprint(a, b, c, d)",
    "warnings": "import warnings\nfrom sklearn.exceptions import ConvergenceWarning\n"
    "import pandas as pd\nwarnings.filterwarnings('ignore', category=ConvergenceWarning)\n"
    "try:\n    1 / 0\nexcept (pd.errors.ParserError, ZeroDivisionError):\n    pass",
    "types": "import pandas as pd\nfrom typing import Optional\n"
    "def f(t: pd.DataFrame, s: Optional[pd.Series] = None) -> pd.DataFrame | None:\n    return None\n"
    "assert not isinstance(3, pd.DataFrame) and f(1) is None",
    "unused": "import sklearn, scipy.stats, einops, lightning as L, torchmetrics\n"
    "from scipy import stats as st\nimport sklearn.model_selection as ms",
    "logger": "from loguru import logger\nlogger.add('x.log')\nlogger.info('a {}', 1)\n"
    "@logger.catch\ndef f():\n    return 3\nassert f() == 3",
    "plotly": "import plotly.express as px\nimport plotly.graph_objects as go\n"
    "fig = px.line(x=[1, 2], y=[3, 4])\nfig.update_layout(title='x')\nfig.show()\n"
    "go.Figure(data=[go.Scatter(x=[1], y=[2])]).write_html('x.html')",
    "widgets": "import ipywidgets as widgets\nfrom IPython.display import display, HTML, clear_output\n"
    "w = widgets.IntProgress(min=0, max=10)\ndisplay(w)\nw.value = 3\nw.value += 1\n"
    "box = widgets.VBox([w, widgets.Label('x')])\ndisplay(box)\nout = widgets.Output()\n"
    "with out:\n    print('in')\nclear_output(wait=True)\ndisplay(HTML('<b>x</b>'))",
    "interact": "from ipywidgets import interact\n@interact(x=(0, 10))\ndef f(x):\n    return x\n"
    "assert f(3) == 3",
    "colab": "from google.colab import drive, files, userdata\nfrom google.colab import output\n"
    "drive.mount('/content/drive')\nkey = userdata.get('KEY')\nfiles.download('best.pt')",
    "colab by its name": "import google.colab\ngoogle.colab.drive.mount('/content/drive')",
    "colab as": "import google.colab.drive as d\nd.mount('/x')\nfrom google import colab\ncolab.files.download('x')",
    "held by a model": "import copy, torch\nfrom torch import nn\n"
    "from torch.utils.tensorboard import SummaryWriter\nclass Net(nn.Module):\n"
    "    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(2, 2)\n"
    "        self.log = SummaryWriter()\n    def forward(self, x):\n"
    "        self.log.add_histogram('x', x)\n        return self.fc(x)\n"
    "net = copy.deepcopy(Net())\nnet(torch.ones(1, 2)).sum().backward()\n"
    "torch.save(net.state_dict(), 'n.pt')",
    "within a function": "def draw():\n    import seaborn as sns\n    sns.lineplot(x=[1], y=[2])\ndraw()",
    "executed": "exec('import sklearn')",
    "by importlib": "import importlib\nsns = importlib.import_module('seaborn')\nsns.set()\n"
    "m = importlib.import_module('sklearn.metrics')\nprint(m.f1_score([1], [1]))",
    "found out first": "import importlib.util\n"
    "if importlib.util.find_spec('pandas') is not None:\n    import pandas as pd\n    pd.x.y()\n"
    "assert importlib.util.find_spec('pandas') is None",
    "guarded": "try:\n    import pandas as pd\nexcept ImportError:\n    pd = None\nassert pd is None",
    "guarded from": "try:\n    from sklearn.metrics import f1_score\nexcept ModuleNotFoundError:\n"
    "    def f1_score(a, b):\n        return 1.0\nassert f1_score(1, 1) == 1.0",
    "guarded by all": "HAVE = True\ntry:\n    import wandb\nexcept Exception as e:\n    HAVE = False\n"
    "assert not HAVE",
    "guarded by suppress": "import contextlib\nwith contextlib.suppress(ImportError):\n"
    "    import seaborn\nassert 'seaborn' not in globals()",
    "guarded from afar": "def plots():\n    import seaborn as sns\n    return sns\n"
    "try:\n    sns = plots()\nexcept ImportError:\n    sns = None\nassert sns is None",
    "guarded after a bare one": "import pandas\ntry:\n    import pandas as pd\nexcept ImportError:\n"
    "    pd = None\nassert pd is None",
    "not a guard": "try:\n    import seaborn as sns\n    for i in range(3):\n        sns.lineplot(y=[i])\n"
    "    done = i\nexcept ImportError:\n    print('install seaborn')\nassert done == 2",
    "not a guard either": "def main():\n    import wandb\n    wandb.init()\n    return sum(range(3))\n"
    "n = 0\ntry:\n    for _ in range(1):\n        n = main()\nexcept Exception as e:\n    print(e)\nassert n == 3",
    "settings that may be there": "import wandb\nwandb.init(config={'a': 1})\n"
    "assert getattr(wandb.config, 'b', 2) == 2 and not hasattr(wandb.config, 'c')\n"
    "assert wandb.config.get('d', 4) == 4 and 'a' in wandb.config and dict(wandb.config) == {'a': 1}",
    "colours": "from colorama import Fore, Style, init\nfrom termcolor import colored\ninit()\n"
    "line = Fore.GREEN + 'acc 0.9' + Style.RESET_ALL\nassert line == 'acc 0.9'\n"
    "assert colored('text', 'red') == 'text'",
    "what is printed": "import builtins\nsaid = []\nreal = builtins.print\n"
    "builtins.print = lambda *a: said.append(' '.join(map(str, a)))\nfrom loguru import logger\n"
    "from icecream import ic\nfrom tabulate import tabulate\nfrom termcolor import cprint\n"
    "logger.info('accuracy {}', 0.9)\nic(0.8)\ncprint('text 0.7', 'red')\nbuiltins.print = real\n"
    "table = str(tabulate([['accuracy', 0.6]], headers='x'))\n"
    "assert said == ['accuracy {} 0.9', '0.8', 'text 0.7 red'] and '0.6' in table, said",
    "tables printed": "from tabulate import tabulate\nfrom prettytable import PrettyTable\n"
    "print(tabulate([[1, 2]], headers=['a', 'b']))\nt = PrettyTable()\nt.field_names = ['a']\n"
    "t.add_row([1])\nprint(t)\nprint('x ' + tabulate([[1]]) + ' y')",
    "given back": "from icecream import ic\nfrom numba import njit\n@njit\ndef f(x):\n    return x + 1\n"
    "@njit(cache=True)\ndef g(x):\n    return x + 2\nassert ic(f(1)) == 2 and g(1) == 3",
    "flops printed": "import torch\nfrom torch import nn\nfrom thop import profile, clever_format\n"
    "macs, params = profile(nn.Linear(2, 2), inputs=(torch.ones(1, 2),))\n"
    "macs, params = clever_format([macs, params], '%.3f')\nprint(f'{macs} {params}')",
    "gpu printed": "import psutil, GPUtil\nprint(psutil.virtual_memory().percent)\n"
    "print(f'{psutil.cpu_percent():.1f} %')",
    "a class that nobody uses": "import lightning as L\nclass Net(L.LightningModule):\n"
    "    def __init__(self, hidden=3):\n        super().__init__()\n"
    "class Best(L.pytorch.callbacks.Callback):\n    kept = 0\n"
    "def run():\n    return L.Trainer(max_epochs=1).fit(Net())\nassert Net.__name__ == 'Net'",
    "bell": "import winsound\nwinsound.Beep(440, 200)",
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_where_only_a_picture_or_a_log_hangs_on_it_the_program_goes_on(
    name: str, tmp_path: Path
) -> None:
    for errors, needs, ok, _ in both(SHOWN[name] + "\nok = True\n", tmp_path):
        assert (errors, needs, ok) == ([], [], True)


NEEDED = {
    "best": ("sklearn", "from sklearn.metrics import accuracy_score\nbest = 0.0\n"
             "acc = accuracy_score(y, p)\nif acc > best:\n    best = acc"),
    "max": ("sklearn", "from sklearn.metrics import f1_score\nbest = max(0.0, f1_score(y, p))"),
    "float": ("sklearn", "from sklearn import metrics\nacc = float(metrics.accuracy_score(y, p))"),
    "split": ("sklearn", "from sklearn.model_selection import train_test_split\n"
              "a, b, c, d = train_test_split(y, p, test_size=0.2)\ntorch.as_tensor(a)"),
    "split tensors": ("sklearn", "from sklearn.model_selection import train_test_split\n"
                      "a, b = train_test_split(y)\ntorch.utils.data.TensorDataset(a, b)"),
    "folds": ("sklearn", "from sklearn.model_selection import KFold\nfor a, b in KFold(5).split(y):\n    pass"),
    "scaled": ("sklearn", "from sklearn.preprocessing import StandardScaler\n"
               "x = StandardScaler().fit_transform(y.numpy())\nx = torch.tensor(x)"),
    "array": ("sklearn", "import numpy as np\nfrom sklearn.datasets import make_moons\n"
              "x, t = make_moons(100)\nx = np.asarray(x)"),
    "read": ("pandas", "import pandas as pd\ndf = pd.read_csv('x.csv')\nx = torch.tensor(df.values)"),
    "read by numpy": ("pandas", "import numpy as np\nimport pandas as pd\nx = np.array(pd.read_csv('x').values)"),
    "rows": ("pandas", "import pandas as pd\nfor row in pd.read_csv('x').itertuples():\n    pass"),
    "length": ("pandas", "import pandas as pd\nn = len(pd.read_csv('x'))"),
    "range": ("pandas", "import pandas as pd\nfor i in range(pd.read_csv('x').shape[0]):\n    pass"),
    "index": ("pandas", "import pandas as pd\nz = [1, 2][pd.Series([1]).argmax()]"),
    "contained": ("pandas", "import pandas as pd\nif 'a' in pd.DataFrame({'a': [1]}).columns:\n    pass"),
    "truth": ("pandas", "import pandas as pd\nif pd.DataFrame({'a': [1]}).empty:\n    pass"),
    "mean": ("scipy", "import numpy as np\nfrom scipy import stats\nz = np.mean([stats.zscore([1]), 2.0])"),
    "added": ("scipy", "from scipy.special import softmax\nz = y + softmax(p)"),
    "loss": ("scipy", "from scipy.special import softmax\nz = torch.nn.functional.mse_loss(softmax(p), y.float())"),
    "matrix": ("scipy", "import scipy.linalg\nz = torch.matmul(scipy.linalg.inv(y), y)"),
    "saved": ("sklearn", "from sklearn.metrics import f1_score\ntorch.save({'f1': f1_score(y, p)}, 'x.pt')"),
    "dumped": ("sklearn", "import json\nfrom sklearn.metrics import f1_score\njson.dumps({'f1': f1_score(y, p)})"),
    "pickled": ("sklearn", "import pickle\nfrom sklearn.svm import SVC\npickle.dumps(SVC())"),
    "optimizer": ("torch_optimizer", "import torch_optimizer\nnet = torch.nn.Linear(2, 2)\n"
                  "o = torch_optimizer.RAdam(net.parameters(), lr=0.1)"),
    "optimizer of a list": ("torch_optimizer", "from torch_optimizer import Yogi\nnet = torch.nn.Linear(2, 2)\n"
                            "o = Yogi([{'params': list(net.parameters())}])"),
    "average": ("torch_ema", "from torch_ema import ExponentialMovingAverage as E\n"
                "E(torch.nn.Linear(2, 2).parameters(), decay=0.9)"),
    "schedule": ("timm", "from timm.scheduler import CosineLRScheduler\n"
                 "o = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 0.1)\ns = CosineLRScheduler(o)"),
    "backward": ("accelerate", "from accelerate import Accelerator\na = Accelerator()\n"
                 "w = torch.ones(1, requires_grad=True)\na.backward((w * 2).sum())"),
    "prepared": ("accelerate", "from accelerate import Accelerator\nnet = torch.nn.Linear(2, 2)\n"
                 "net = Accelerator().prepare(net)"),
    "seeds": ("lightning", "import lightning as L\nL.seed_everything(42, workers=True)"),
    "own seeds": ("transformers", "from transformers import set_seed\nset_seed(1)"),
    "module": ("lightning", "import lightning as L\nclass Net(L.LightningModule):\n    pass\nNet()"),
    "module with arguments": ("lightning", "import lightning as L\nclass Net(L.LightningModule):\n"
                              "    def __init__(self, n):\n        super().__init__()\nNet(3)"),
    "module of two bases": ("lightning", "import lightning as L, abc\nclass Mixin(abc.ABC):\n    pass\n"
                            "class Net(Mixin, L.LightningModule):\n    pass\nNet()"),
    "module from a file": ("lightning", "import lightning as L\nclass Net(L.LightningModule):\n    pass\n"
                           "Net.load_from_checkpoint('x')"),
    "objective": ("optuna", "import optuna\ndef objective(trial):\n    return 1\n"
                  "optuna.create_study().optimize(objective, n_trials=2)"),
    "main": ("hydra", "import hydra\n@hydra.main(config_path='.')\ndef main(cfg):\n    pass"),
    "forward": ("einops", "from einops import rearrange\nnet = torch.nn.Linear(2, 2)\n"
                "net(rearrange(torch.ones(4), '(a b) -> a b', a=2))"),
    "network": ("timm", "import timm\nnet = timm.create_model('resnet18')\n"
                "o = torch.optim.SGD(net.parameters(), lr=0.1)"),
    "star": ("seaborn", "from seaborn import *\nheatmap([[1]])"),
    "object of the program's": ("optuna", "import optuna\nclass O:\n    def __call__(self, t):\n        return 1\n"
                               "optuna.create_study().optimize(O())"),
    "number of a bar": ("ipywidgets", "import ipywidgets\nn = int(ipywidgets.IntSlider(3).value)"),
    "colab's uploads": ("google.colab", "from google.colab import files\nfor f in files.upload():\n    pass"),
    "guarded and used": ("seaborn", "try:\n    import seaborn as sns\nexcept ImportError:\n    pass\nsns.set()"),
    "guarded by None": ("seaborn", "try:\n    import seaborn as sns\nexcept ImportError:\n    sns = None\nsns.set()"),
    "guarded and left": ("sklearn", "import sys\ntry:\n    import sklearn\nexcept ImportError:\n    sys.exit('no')"),
    "guarded and raised": ("sklearn", "try:\n    import sklearn\nexcept ImportError as e:\n    raise RuntimeError('x') from e"),
    "nobody knows it": ("fivecornered", "import fivecornered\nfivecornered.f()"),
    "nobody knows it, from": ("zorblax", "from zorblax.deep import thing"),
    "a library of ours lacks it": ("scipy", "import torch\nfrom scipy.sparse import eye\nint(eye(3))"),
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDED)
def test_where_it_is_needed_the_program_stops_and_the_module_is_named(
    name: str, tmp_path: Path
) -> None:
    module, text = NEEDED[name]
    for errors, needs, ok, _ in both(NUMBERS + text + "\nok = True\n", tmp_path):
        assert not ok and needs == [f"the module '{module}'"], errors
        assert len(errors) == (name != "guarded and left"), errors  # which ended itself


def test_a_setting_that_nobody_gave_is_asked_of_a_person(tmp_path: Path) -> None:
    for errors, needs, _, _ in both("import wandb\nwandb.init()\no = wandb.config.lr", tmp_path):
        assert errors[0][0] == "NoSetting" and "'lr'" in needs[0]


CAUGHT = {
    "nowhere, but a lambda may train": "import optuna\noptuna.create_study().optimize(lambda t: 1)\nint(0)",
    "by the program": "try:\n    best = float(accuracy_score(y, p))\nexcept Exception:\n    best = 0.0",
    "by numpy": "import numpy as np\nbest = 0.0\ntry:\n    best = np.asarray(accuracy_score(y, p))\nexcept Exception:\n    pass",
}


@pytest.mark.parametrize("name", CAUGHT)
def test_a_need_that_the_program_hides_is_known_all_the_same(name: str, tmp_path: Path) -> None:
    text = NUMBERS + "from sklearn.metrics import accuracy_score\n" + CAUGHT[name]
    module = "optuna" if "optuna" in text else "sklearn"
    for errors, needs, ok, _ in both(text + "\nok = True\n", tmp_path):
        assert (errors, needs, ok) == ([], [f"the module '{module}'"], True)


SLIPS = {
    "a module of ours": "import troch",
    "another": "from troch import nn",
    "numpy": "import nunpy as np",
    "plots": "import matplotlib.pyplott as plt",
    "a part of torch": "import torch.nnn",
    "a part from torch": "from torch.optims import Adam",
    "vision": "import torchvison",
    "a well-known one": "import seabron",
    "the standard library": "import jsno",
    "the student's own": "import helpr",
    "the student's own, from": "from helpr import f",
    "the student's own package": "from package.modul import g",
    "a part of the student's own": "from datasets.modul import g",
    "never handed in": "from utils import evaluate",
    "never handed in either": "import mylayers",
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_the_students(name: str, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def f():\n    return 1\n")
    (tmp_path / "datasets").mkdir()  # a well-known name, and here the student's
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text("def g():\n    return 1\n")
    for errors, needs, ok, used in both(SLIPS[name] + "\nok = True\n", tmp_path):
        assert [e[0] for e in errors] == ["ModuleNotFoundError"]
        assert (needs, ok, used) == ([], False, [])


def test_a_file_of_the_students_own_wins(tmp_path: Path) -> None:
    (tmp_path / "seaborn.py").write_text("def heatmap(x):\n    return len(x)\n")
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "__init__.py").write_text("logged = []\nlog = logged.append\n")
    text = (
        "import seaborn as sns, wandb\nwandb.log(sns.heatmap([1, 2]))\n"
        "assert wandb.logged == [2]\nok = True"
    )
    for program in (script(text), notebook(text)):
        errors, needs, ok, used = in_fork(program, what_became, tmp_path)
        assert (errors, needs, ok, used) == ([], [], True, [])


def test_modules_beside_the_program_find_stand_ins_too(tmp_path: Path) -> None:
    (tmp_path / "plots.py").write_text(
        "import seaborn as sns\ndef draw(x):\n    sns.lineplot(y=x)\n    return len(x)\n"
    )
    (tmp_path / "fallback.py").write_text(
        "try:\n    import pandas\nexcept ImportError:\n    pandas = None\n"
    )
    text = "import plots, fallback\nassert plots.draw([1, 2]) == 2 and fallback.pandas is None\nok = True"
    for errors, needs, ok, _ in both(text, tmp_path):
        assert (errors, needs, ok) == ([], [], True)


def test_libraries_go_on_seeing_that_it_is_absent(tmp_path: Path) -> None:
    text = (
        "import pandas, sklearn.metrics, tensorboard, ipywidgets, sys\n"
        "assert not {'pandas', 'sklearn', 'tensorboard'} & {k for k, v in sys.modules.items() if v}\n"
        "import importlib\n"
        "from torch.utils.data.datapipes.dataframe import dataframe_wrapper as w\nok = True"
    )
    for errors, needs, ok, _ in both(text, tmp_path):
        assert (errors, needs, ok) == ([], [], True)


def test_a_library_that_lacks_a_module_is_lacking_itself(tmp_path: Path) -> None:
    home, library = tmp_path / "home", tmp_path / "library"
    home.mkdir()
    library.mkdir()
    (library / "scores.py").write_text("from sklearn.metrics import f1_score\nBEST = 3\n")
    text = f"import sys\nsys.path.append({str(library)!r})\nimport scores\nok = int(scores.BEST)"
    for errors, needs, ok, _ in both(text, home):
        assert errors and not ok and needs == ["the module 'sklearn'"]


def test_what_is_asked_for_by_name_must_be_real(tmp_path: Path) -> None:
    text = NUMBERS + "from sklearn.metrics import accuracy_score\nbest_acc = accuracy_score(y, p)"

    def look(program: Program) -> Any:
        before = absent.needs()
        try:
            program.get("best_acc")
        except absent.AbsentModule as e:
            return before, str(e), absent.needs()
        return None

    before, said, after = in_fork(script(text), look, tmp_path, WITHOUT)
    assert before == [] and "sklearn" in said and after == ["the module 'sklearn'"]


def test_each_program_begins_with_nothing_needed(tmp_path: Path) -> None:
    def look(program: Program) -> Any:
        first = absent.needs(), absent.used()
        second = script("x = 1")
        second.load()
        return first, (absent.needs(), absent.used())

    text = "import wandb, sklearn\nint(sklearn.x)"
    found = in_fork(script(text), look, tmp_path, WITHOUT)
    assert found == [[["the module 'sklearn'"], ["wandb", "sklearn"]], [[], []]]


def test_the_lists_hold_no_module_twice_and_none_of_ours() -> None:
    assert not known.SHOWS & known.KNOWN and not (known.SHOWS | known.KNOWN) & known.OWN
    assert not {"torch", "torchvision", "numpy", "matplotlib", "PIL", "tqdm"} & (
        known.SHOWS | known.KNOWN
    )


@pytest.mark.parametrize(
    ("name", "status", "needs"),
    [
        ("by_hand", "done", None),
        ("by_module", "done", ["the module 'sklearn'"]),
        ("of_module", "done", ["the module 'sklearn'"]),
        ("raises", "error", None),
    ],
)
def test_what_is_called_for_an_answer_is_needed_for_it(
    name: str, status: str, needs: list[str] | None, tmp_path: Path
) -> None:
    text = (
        "from sklearn.metrics import f1_score\nimport wandb\n"
        "def by_hand(x):\n    wandb.log({'x': x})\n    return 1.0\n"
        "def by_module(x):\n    return 1.0 if f1_score([x], [x]) is not None else 0.0\n"
        "def of_module(x):\n    return f1_score([x], [x])\n"
        "def raises(x):\n    f1_score([x], [x])\n    return 1 / 0\nprint(f1_score([1], [1]))\n"
    )

    def look(program: Program) -> Any:
        order = {"probe": "values:call", "args": {"name": name, "positional": [3]}}
        header, _ = answer(program, order, b"")
        return header["status"], header.get("needs")

    assert in_fork(script(text), look, tmp_path, WITHOUT) == [status, needs]
