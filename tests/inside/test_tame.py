"""What a machine without a person, a screen or a network cannot give costs a program nothing:
`inside/tame.py`, `inside/notebook_shell.py`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from autograder.inside import absent
from autograder.inside.exceptions import StopProgram
from autograder.inside.program import Program
from tests.loading import in_fork, notebook, script

LOADER = "loader = [(i, i * i) for i in range(5)]\n"


def what_became(program: Program) -> Any:
    errors = [(e["type"], e["message"], e["line"], e["cell"]) for e in program.errors]
    return errors, absent.needs(), program.namespace.get("ok")


def fine(program: Program, home: Path, without: tuple[str, ...] = ()) -> None:
    assert in_fork(program, what_became, home, without) == [[], [], True]


# -- progress bars -------------------------------------------------------------------------------

BARS = {
    "tqdm": ("from tqdm import tqdm", "tqdm({}, desc='x', leave=False)"),
    "notebook": ("from tqdm.notebook import tqdm", "tqdm({}, display=False)"),
    "old notebook": ("from tqdm import tqdm_notebook", "tqdm_notebook({}, desc='x')"),
    "notebook's own": ("from tqdm.notebook import tqdm_notebook as t", "t({})"),
    "by the module": ("import tqdm.notebook", "tqdm.notebook.tqdm({})"),
    "by the package": ("import tqdm", "tqdm.notebook.tqdm({})"),
    "auto": ("from tqdm.auto import tqdm", "tqdm({}, total=5)"),
    "autonotebook": ("from tqdm.autonotebook import tqdm", "tqdm({})"),
    "gui": ("from tqdm.gui import tqdm", "tqdm({})"),
    "gui of old": ("from tqdm import tqdm_gui", "tqdm_gui({})"),
    "tk": ("from tqdm.tk import tqdm_tk", "tqdm_tk({}, desc='x')"),
    "rich's": ("from tqdm.rich import tqdm", "tqdm({})"),
    "asyncio": ("from tqdm.asyncio import tqdm", "tqdm({})"),
    "rich": ("from rich.progress import track", "track({}, description='x')"),
    "alive": ("from alive_progress import alive_it", "alive_it({}, title='x', force_tty=True)"),
    "fast": ("from fastprogress import progress_bar", "progress_bar({}, parent=None)"),
    "fast and old": ("from fastprogress.fastprogress import master_bar as m", "m({}, total=5)"),
    "progressbar": ("import progressbar", "progressbar.progressbar({}, redirect_stdout=True)"),
    "progressbar object": ("import progressbar as p", "p.ProgressBar(max_value=5)({})"),
    "progressbar widgets": (
        "import progressbar as p",
        "p.ProgressBar(widgets=[p.Bar()]).start()({})",
    ),
    "progress": ("from progress.bar import Bar", "Bar('x', max=5).iter({})"),
    "enlighten": ("import enlighten", "enlighten.get_manager().counter(total=5)({})"),
    "pyprind": ("import pyprind", "pyprind.prog_bar({})"),
    "atpbar": ("from atpbar import atpbar", "atpbar({}, name='x')"),
    "streamlit": ("from stqdm import stqdm", "stqdm({})"),
    "accelerate": ("from accelerate.utils import tqdm", "tqdm({})"),
    "by keyword": ("from alive_progress import alive_it", "alive_it(it={})"),
}


@pytest.mark.parametrize("name", BARS)
def test_a_bar_goes_through_what_it_is_given(name: str, tmp_path: Path) -> None:
    top, bar = BARS[name]
    text = (
        f"{top}\n{LOADER}seen = [x for x in {bar.format('loader')}]\n"
        f"n = 0\nfor i, (a, b) in enumerate({bar.format('loader')}):\n    n += a * b\n"
        f"for (a, b), c in zip({bar.format('iter(loader)')}, range(9)):\n    assert a == c\n"
        "ok = seen == loader and n == 100\n"
    )
    away = ("ipywidgets", "alive_progress", "fastprogress", "accelerate")
    for program in (script(text), notebook(*text.split("\n", 1))):
        fine(program, tmp_path, away)


HELD = {
    "length": "from tqdm.notebook import tqdm\nassert len(tqdm(loader)) == 5",
    "length of ours": "from fastprogress import progress_bar\nassert len(progress_bar(loader)) == 5",
    "ranges": "from tqdm.notebook import trange, tnrange\nfrom tqdm import trange as t, tnrange as n\n"
    "assert [list(f(1, 4)) for f in (trange, tnrange, t, n)] == [[1, 2, 3]] * 4",
    "by hand": "from tqdm.notebook import tqdm\nbar = tqdm(total=5, unit='b', colour='red')\n"
    "for x in loader:\n    bar.update(1)\n    bar.set_postfix({'loss': 0.5})\n    bar.set_postfix_str('y')\n"
    "    bar.set_description(f'{x}')\n    bar.refresh()\nassert bar.n == 5\nbar.close()\n"
    "bar.reset(total=3)\nbar.display('z')\nbar.clear()\nbar.container\nbar.disp(close=True)",
    "in a with": "from tqdm.auto import tqdm\nwith tqdm(loader, position=0) as bar:\n"
    "    for x in bar:\n        bar.write('x')\n        tqdm.write('y')\n    assert bar.n == 5",
    "alive in a with": "from alive_progress import alive_bar, config_handler\nconfig_handler.set_global(length=9)\n"
    "with alive_bar(len(loader), title='x') as bar:\n    for x in loader:\n        bar()\n        bar.text(f'{x}')\n"
    "        bar.text = 'y'\n        bar(2)",
    "rich in a with": "from rich.progress import Progress, TextColumn\n"
    "with Progress(TextColumn('{task.description}'), transient=True) as p:\n    t = p.add_task('x', total=5)\n"
    "    while not p.finished:\n        p.update(t, advance=1)",
    "nested": "from tqdm.notebook import tqdm, trange\nfrom fastprogress import master_bar, progress_bar\n"
    "seen = []\nfor e in tqdm(master_bar(range(2))):\n    for x in progress_bar(tqdm(progress_bar(loader)), parent=e):\n"
    "        seen.append(x)\nassert seen == loader * 2",
    "master": "from fastprogress import master_bar, progress_bar\nmb = master_bar(range(2))\n"
    "for e in mb:\n    for x in progress_bar(loader, parent=mb):\n        mb.child.comment = f'{x}'\n"
    "    mb.main_bar.comment = 'x'\n    mb.write(f'{e}', table=True)\n    mb.update_graph([[1], [2]], [0, 1])",
    "keras": "from tensorflow.keras.utils import Progbar\nbar = Progbar(5)\nfor i, x in enumerate(loader):\n"
    "    bar.update(i, values=[('loss', 0.5)])",
    "pkbar": "import pkbar\nbar = pkbar.Kbar(target=5, epoch=0, num_epochs=1)\nbar.update(1, values=[('a', 1)])\nbar.add(1)",
    "halo": "from halo import Halo\nwith Halo(text='x', spinner='dots') as s:\n    s.text = 'y'\ns.succeed('z')",
    "logging": "from tqdm.contrib.logging import logging_redirect_tqdm\nfrom tqdm.contrib import tenumerate, tzip\n"
    "with logging_redirect_tqdm():\n    assert [i for i, x in tenumerate(loader)] == [0, 1, 2, 3, 4]",
    "pandas": "from tqdm.auto import tqdm\ntqdm.pandas(desc='x')",
    "of pandas that is absent": "import pandas as pd\nfrom tqdm import tqdm\nprint(pd.DataFrame([1]).progress_apply(str))",
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_a_bar_keeps_what_programs_use_of_it(name: str, tmp_path: Path) -> None:
    text = LOADER + HELD[name] + "\nok = True\n"
    away = ["ipywidgets", "alive_progress", "fastprogress", "tensorflow"]
    away += ["pandas"] if "absent" in name else []
    for program in (script(text), notebook(text)):
        fine(program, tmp_path, tuple(away))


def test_a_bar_draws_nothing_however_long_it_runs(tmp_path: Path) -> None:
    text = (
        "import sys\nfrom tqdm import tqdm\nfrom tqdm.notebook import tqdm as t\n"
        "for b in (tqdm, t):\n    for i in b(range(300), mininterval=0, miniters=1, file=sys.stdout):\n"
        "        pass\nprint('end')\nok = True"
    )
    fine(script(text), tmp_path)
    assert (tmp_path / "out").read_text().split() == ["end"]


# -- people, screens, networks -------------------------------------------------------------------

ODD = {
    "show": "import warnings\nwarnings.simplefilter('error')\nimport matplotlib\nmatplotlib.use('TkAgg')\n"
    "import matplotlib.pyplot as plt\nplt.switch_backend('Qt5Agg')\nfig = plt.figure()\nplt.ion()\n"
    "plt.plot([1])\nplt.show(block=True)\nfig.show()\nplt.pause(0.001) if False else None",
    "input": "input('press Enter')\nx = input('name: ') or 'ada'\nassert x == 'ada'",
    "input of a number, guarded": "try:\n    n = int(input('epochs: '))\nexcept ValueError:\n    n = 3\nassert n == 3",
    "yes or no": "assert input('train? [y/n] ') == 'y' and input('sure (Yes/No)?').lower() == 'yes'",
    "input in a loop": "for _ in range(3):\n    input()",
    "arguments": "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float, default=0.1)\n"
    "p.add_argument('-f', default='')\nargs = p.parse_args()\nassert args.lr == 0.1\n"
    "args, rest = p.parse_known_args()\nassert rest == []\nimport sys\nassert len(sys.argv) == 1",
    "pip": "import subprocess, sys, os\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', '-q', 'seaborn'])\n"
    "subprocess.run('pip install wandb', shell=True, check=True)\nassert os.system('pip3 install x') == 0\n"
    "subprocess.check_output(['conda', 'install', '-y', 'x'])\nos.system('python -m pip install --upgrade pip')",
    "another command": "import subprocess, os\nassert subprocess.check_output(['echo', 'install']) == b'install\\n'\n"
    "assert os.system('exit 3') >> 8 == 3",
    "commands by name": "import os, pickle\nassert pickle.loads(pickle.dumps(os.system)) is os.system",
    "debuggers": "import pdb\npdb.set_trace()\nbreakpoint()\nfrom pdb import set_trace\nset_trace()",
    "secrets": "import getpass, os\nos.environ['WANDB_API_KEY'] = getpass.getpass('key: ')\n"
    "from google.colab import userdata\nos.environ['HF'] = userdata.get('HF')",
    "formats": "from IPython import display\ndisplay.set_matplotlib_formats('svg')\n"
    "from matplotlib_inline import backend_inline\nimport matplotlib.pyplot as plt\nplt.show()",
    "main in the middle": "if __name__ == '__main__':\n    a = 1\ndef main():\n    global ok\n    ok = a == 1\n"
    "if __name__ == '__main__':\n    main()\nif not __name__ == '__main__':\n    1 / 0\nb = 2",
    "signal": "import signal, atexit\natexit.register(print, 'bye')\nsignal.signal(signal.SIGINT, signal.SIG_DFL)",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_habits_cost_nothing(name: str, tmp_path: Path) -> None:
    text = ODD[name] + "\nok = True\n"
    for program in (
        script(text),
        notebook(text),
        notebook(*text.splitlines(keepends=True)[:1], text),
    ):
        if program.kind == "notebook" and len(program.cells) > 1 and name != "show":
            continue
        fine(program, tmp_path)


@pytest.mark.parametrize(
    "end",
    [
        "sys.exit()", "sys.exit(0)", "sys.exit(None)", "sys.exit('done')", "sys.exit(0.93)",
        "sys.exit(True)", "sys.exit(main())", "exit()", "quit()", "raise SystemExit",
        "import unittest; unittest.main(argv=['x'])",
    ],
)  # fmt: skip
def test_a_program_that_ends_itself_well_has_ended_well(end: str, tmp_path: Path) -> None:
    text = f"import sys\ndef main():\n    return 0.9, [1]\nok = True\n{end}\nok = False\n"
    fine(script(text), tmp_path)
    fine(notebook("import sys\nmain = print", f"if True:\n    {end}", "ok = True"), tmp_path)


def test_what_is_missing_after_an_early_end_is_explained(tmp_path: Path) -> None:
    def look(program: Program) -> str:
        try:
            program.get("later")
        except Exception as e:  # noqa: BLE001 - its text is looked at
            return str(e)
        return ""

    said = in_fork(script("import sys\nsys.exit()\nlater = 1"), look, tmp_path)
    assert said == "'later' is not defined; the program stopped at line 2: SystemExit"


def test_a_number_that_nobody_can_give_is_asked_of_a_person(tmp_path: Path) -> None:
    for text in ("n = int(input('Epochs: '))", "n = float(input('Epochs: ').strip())"):
        errors, needs, _ = in_fork(script(text), what_became, tmp_path)
        assert errors[0][0] == "NobodyAnswers" and needs == ["an answer to input('Epochs: ')"]


@pytest.mark.parametrize(
    "text",
    [
        "while True:\n    if input('> ') == 'quit':\n        break",
        "while True:\n    try:\n        n = int(input('n: '))\n        break\n    except ValueError:\n        print('a number!')",
    ],
)
def test_a_menu_without_an_end_has_one(text: str, tmp_path: Path) -> None:
    errors, needs, _ = in_fork(script(text), what_became, tmp_path)
    assert errors[0][0] == "NobodyThere" and needs == ["somebody at the keyboard"]


MAGICS = {
    "figures": "%config InlineBackend.figure_format = 'retina'\n%matplotlib inline\n%matplotlib widget",
    "extension": "%load_ext tensorboard\n%tensorboard --logdir runs\n%reload_ext nothing_at_all",
    "autoreload": "%load_ext autoreload\n%autoreload 2",
    "unknown": "%nosuchmagic a b\n%wandb x\nx = 1",
    "timeit": "import time\nx = 0\n%timeit time.sleep(0.01)",
    "installs": "!pip install -q seaborn wandb\n%pip install x\n!{sys.executable} -m pip install y\n!nvidia-smi",
    "pylab": "%pylab inline\nplot([1, 2])",
    "folders": "!mkdir -p runs/a runs/b\nimport os\nassert os.path.isdir('runs/b')\n!mkdir x; rm -r y",
    "of old": "get_ipython().magic('matplotlib inline')\nget_ipython().magic('%nosuch')",
    "all values": "from IPython.core.interactiveshell import InteractiveShell\n"
    "InteractiveShell.ast_node_interactivity = 'all'\n1\n2",
    "ipython": "ip = get_ipython()\nip.run_line_magic('matplotlib', 'inline')\nip.run_line_magic('nosuch', '')\n"
    "ip.system('ls')\nprint('google.colab' in str(get_ipython()))",
    "cd": "%cd /content/drive/MyDrive\n%pwd\n!cd x\n%cd -q ..",
    "environment": "%env WANDB_MODE=offline\n%set_env A=1\nimport os\nassert os.environ['WANDB_MODE'] == 'offline'",
    "help": "?print\nprint?\n%lsmagic",
    "who": "%who\n%whos\n%precision 3\n%xmode Verbose\n%history",
}  # fmt: skip


@pytest.mark.parametrize("name", MAGICS)
def test_magics_cost_nothing(name: str, tmp_path: Path) -> None:
    fine(notebook("import sys\n" + MAGICS[name] + "\nok = True"), tmp_path)


@pytest.mark.parametrize(
    ("top", "value"),
    [("%%time", 1), ("%%capture", 1), ("%%capture out", 1), ("%%wandb", 1), ("%%memit", 1),
     ("%%heat -o x", 1), ("%%timeit", None), ("%%sql", None), ("%%html", None), ("%%R", None)],
)  # fmt: skip
def test_the_code_below_a_magic_runs_where_it_is_python(
    top: str, value: int | None, tmp_path: Path
) -> None:
    body = "made = 1" if value or top == "%%timeit" else "SELECT * FROM <b>x</b>;"
    program = notebook(f"{top}\n{body}", "ok = True")
    look = lambda p: (p.namespace.get("made"), p.errors, p.get("ok"))  # noqa: E731
    assert in_fork(program, look, tmp_path) == [value, [], True]


def test_what_fails_below_a_magic_is_known(tmp_path: Path) -> None:
    for top in ("%%capture", "%%time", "%%unknown"):
        errors = in_fork(notebook(f"{top}\n1 / 0", "x = 1"), lambda p: p.errors, tmp_path)
        assert [(e["type"], e["cell"]) for e in errors] == [("ZeroDivisionError", 0)], top


def test_a_hook_stops_a_program_below_a_magic_too(tmp_path: Path) -> None:
    def stop(_: object) -> Any:
        def stopping() -> None:
            raise StopProgram

        return stopping

    program = notebook("def f(): pass", "%%capture\nf()", "n = 99")
    program.on_definition("f", stop)
    look = lambda p: (p.namespace.get("n"), p.errors, p.stopped)  # noqa: E731
    assert in_fork(program, look, tmp_path) == [None, [], True]


# -- folders -------------------------------------------------------------------------------------

SAVES = "open('best.pt', 'w').write('x')\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{SAVES}os.chdir('/')",
        f"{SAVES}os.chdir('..')",
        f"{SAVES}os.chdir('/tmp')",
        f"{SAVES}os.chdir('/content/drive/MyDrive')",
        f"os.makedirs('runs')\nos.chdir('runs')\n{SAVES}",
        f"os.makedirs('runs/a')\nos.chdir('runs/a')\nassert os.path.isfile('data/images')\n{SAVES}os.chdir('../..')",
        f"os.chdir('/no/such/folder')\n{SAVES}assert os.path.isfile('data/images')",
        f"os.chdir('no_such_folder')\n{SAVES}",
        f"import tempfile\nos.chdir(tempfile.mkdtemp())\nassert os.path.isfile('data/images')\n{SAVES}",
        f"import contextlib\nos.mkdir('a')\nwith contextlib.chdir('a'):\n    {SAVES}",
        f"os.chdir(os.path.dirname(os.path.abspath(globals().get('__file__', 'x'))))\n{SAVES}",
        f"from pathlib import Path\nos.chdir(Path.cwd() / 'src')\nassert open('given').read() == 'g'\n{SAVES}",
        f"os.chdir('data')\nassert os.path.isfile('images')\nos.chdir('..')\n{SAVES}",
        f"here = os.getcwd()\nos.chdir('/tmp')\nos.chdir(here)\n{SAVES}",
    ],
)
def test_whoever_changes_the_folder_is_back_with_what_was_written(
    text: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for part in ("data", "src"):
        (home / part).mkdir(parents=True)
    (home / "data" / "images").write_text("i")
    (home / "src" / "given").write_text("g")

    def look(program: Program) -> Any:
        return os.getcwd(), os.path.isfile("best.pt"), os.path.isfile("data/images"), program.errors

    for make in (script, notebook, lambda t: notebook("import os", t, "x = 1")):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy)
        found = in_fork(make(f"import os\n{text}\n"), look, copy)
        assert found == [str(copy), True, True, []]


def test_an_older_file_elsewhere_is_not_taken_for_the_runs(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "best.pt").write_text("x")
    os.utime(tmp_path / "old" / "best.pt", (1e9, 1e9))
    look = lambda p: os.path.lexists("best.pt")  # noqa: E731
    assert in_fork(script("import os\nos.chdir('old')"), look, tmp_path) is False
