import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nbformat import v4

from evidence.build import kernel_server, kernels
from evidence.build.execute import Task, run_all
from evidence.build.kernel_server import Words, can_fork, draw_once, open_log, receive, send
from evidence.build.notebooks import to_text
from evidence.build.stage import chapters_of, read_project
from evidence.cli import main
from evidence.errors import NotebookError

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes that do not block")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
CELLS = {
    "streams": [
        "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.stdout.flush()",
        "import os\nos.system('echo from a child')\nprint({'b', 'a', 'c'}, hash('text'), os.getcwd())",
        "import time\nprint(time.tzname, sys.argv[0], sys.path, __name__, sys.flags)",
        "print(sorted(name for name in os.environ if 'PARENT_PID' not in name))",
        "import warnings\nwarnings.simplefilter('error')\nsys.modules['__main__']",
    ],
    "figures": [
        "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2]);",
        "import seaborn as sns\nsns.barplot(x=['a', 'b'], y=[1, 2])\nplt.title('T')",
        "fig, ax = plt.subplots()\nax.set_title('shown by its value')\nplt.close(fig)\nfig",
        "import matplotlib\nprint(matplotlib.get_backend(), plt.get_fignums(), sorted(plt.rcParams.items()))",
    ],
    "tables": [
        "import pandas as pd\npd.DataFrame({'x': [1.5, None], 'y': ['a', 'b']})",
        "from evidence import pool\npool([0.1, 0.4, 0.2], [0.01, 0.02, 0.03])",
        "import evidence as ev\nfrom evidence.display import Figure, Prose, show\nshow(Prose('**seen**'))",
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\n"
        "show(Figure(fig, 'caption', 'alt', pd.DataFrame({'x': [1]})))",
    ],
    "settings": [
        "import gc, threading\nprint(gc.isenabled(), gc.get_threshold(), threading.active_count())",
        "import decimal, locale, logging\nprint(decimal.getcontext(), locale.getlocale(), logging.root.handlers)",
        "import numpy, pandas\nprint(numpy.get_printoptions(), numpy.geterr(), pandas.get_option('display.max_rows'))",
    ],
}


def heard(folder: Path) -> tuple[Words, int]:
    """Return what listens to a kernel's streams, and the end that the kernel writes to."""
    end, spoken = os.pipe()
    os.set_blocking(end, False)
    return Words(end, open_log(str(folder / "kernel.log"))), spoken


@POSIX
def test_what_a_kernel_says_is_kept_in_its_log_until_nobody_is_left_to_say_anything(tmp_path):
    words, spoken = heard(tmp_path)
    assert words.take()
    os.write(spoken, b"one")
    assert words.take()
    os.write(spoken, b" two")
    os.close(spoken)
    assert not words.take()
    words.close()
    assert (tmp_path / "kernel.log").read_bytes() == b"one two"
    assert words.said == 7
    assert not words.flooded


@POSIX
def test_a_kernel_that_says_much_lets_others_have_their_turn_and_fills_no_disk(tmp_path, monkeypatch):
    for name, value in {"CHUNK": 4, "TURN": 2, "MOST_LOG": 5, "MOST_OUTPUT": 11}.items():
        monkeypatch.setattr(kernel_server, name, value)
    words, spoken = heard(tmp_path)
    os.write(spoken, b"0123456789ab")
    os.close(spoken)
    assert words.take()
    assert (words.said, words.flooded) == (8, False)
    assert not words.take()
    assert (words.said, words.flooded) == (12, True)
    words.close()
    assert (tmp_path / "kernel.log").read_bytes() == b"01234"


def text(*sources: str) -> str:
    cells = [v4.new_code_cell(source) for source in sources]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return to_text(v4.new_notebook(cells=cells))


def test_the_figure_that_a_server_draws_first_leaves_settings_and_figures_as_they_were():
    import matplotlib.pyplot as plt

    before = dict(plt.rcParams)
    draw_once()
    assert dict(plt.rcParams) == before
    assert not plt.get_fignums()


def task(name: str, folder: Path, *sources: str) -> Task:
    return Task(name, text(*sources), folder / f"{name}.ipynb", folder, {})


def outputs(path: Path) -> str:
    return "".join(
        "".join(output.get("text", ""))
        for cell in json.loads(path.read_text())["cells"]
        for output in cell["outputs"]
    )


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Provide a place of temporary files with a name short enough for sockets; it must be empty afterwards."""
    with tempfile.TemporaryDirectory(prefix="k-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        yield Path(folder)
        assert list(Path(folder).iterdir()) == []


def processes(word: str) -> list[int]:
    """Return the running processes that have ``word`` in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in path.read_text() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def zombies() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(parent) == os.getpid():
            found.append(path.parent.name)
    return found


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def nothing_left(place: Path) -> bool:
    return not list(place.iterdir()) and not processes(str(place))


@pytest.mark.slow
def test_forked_kernels_give_the_bytes_of_cold_ones(tmp_path, place):
    tasks = [task(name, tmp_path, *cells) for name, cells in CELLS.items()]
    seen = []
    for cold in (True, False, False):
        with kernels.chosen_kernels(cold=cold):
            run_all(tasks, jobs=2)
        seen.append([item.target.read_text() for item in tasks])
    assert seen[1] == seen[0]
    assert seen[2] == seen[0]
    joined = "".join(seen[0])
    assert joined.count("image/png") == 4
    assert joined.count('"image/svg+xml"') == 1


@pytest.mark.slow
@pytest.mark.parametrize("cold", [True, False])
def test_what_is_printed_slowly_is_one_output(tmp_path, place, cold):
    slowly = "import time\nfor word in ('one', 'two'):\n    print(word, flush=True)\n    time.sleep(0.3)"
    with kernels.chosen_kernels(cold=cold):
        run_all([task("slow", tmp_path, slowly)], jobs=1)
    (cell,) = json.loads((tmp_path / "slow.ipynb").read_text())["cells"]
    assert [output["text"] for output in cell["outputs"]] == [["one\n", "two\n"]]


@pytest.mark.slow
@pytest.mark.parametrize("cold", [True, False])
def test_what_a_cell_and_its_programs_print_stands_in_the_order_in_which_they_did(tmp_path, place, cold):
    turns = "import os\nfor n in range(50):\n    print('cell', n)\n    os.system(f'echo program {n}')"
    halves = "os.write(1, '\u00e9'.encode()[:1])\nos.write(1, '\u00e9'.encode()[1:])\nprint('!')"
    with kernels.chosen_kernels(cold=cold):
        run_all([task("turns", tmp_path, turns, halves, "print('after')")], jobs=1)
    cells = json.loads((tmp_path / "turns.ipynb").read_text())["cells"]
    said = ["".join(line for output in cell["outputs"] for line in output["text"]) for cell in cells]
    assert said == ["".join(f"cell {n}\nprogram {n}\n" for n in range(50)), "\u00e9!\n", "after\n"]


@pytest.mark.slow
@pytest.mark.usefixtures("unmeasured")
def test_every_notebook_of_the_project_gives_the_bytes_of_a_cold_kernel(tmp_path, place):
    seen = []
    for cold in (True, False):
        tasks = [
            Task(name, (ROOT / name).read_text(encoding="utf-8"), tmp_path / name, (ROOT / name).parent, {})
            for name in chapters_of(read_project(ROOT))
        ]
        with kernels.chosen_kernels(cold=cold):
            run_all(tasks, jobs=2)
        seen.append({item.name: item.target.read_bytes() for item in tasks})
    assert seen[0].keys() == seen[1].keys()
    assert [name for name in seen[0] if seen[0][name] != seen[1][name]] == []


@LINUX
@pytest.mark.slow
def test_kernels_are_forked_unless_asked_otherwise(tmp_path, place):
    who = "print(open('/proc/self/cmdline').read().replace(chr(0), ' '))"
    for cold, sign in ((False, "kernel_server.py"), (True, "ipykernel_launcher")):
        with kernels.chosen_kernels(cold=cold):
            run_all([task("who", tmp_path, who)], jobs=1)
        assert sign in outputs(tmp_path / "who.ipynb")
    assert kernels.COLD not in os.environ


@pytest.mark.slow
def test_each_kernel_has_its_own_folder_environment_and_random_numbers(tmp_path, place, monkeypatch):
    draw = "import os, random, numpy\nprint(os.getcwd(), random.random(), numpy.random.rand())"
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    run_all([task("a", folder, draw) for folder in folders], jobs=1)
    said = [outputs(folder / "a.ipynb").split() for folder in folders]
    assert [Path(words[0]) for words in said] == folders
    assert not set(said[0][1:]) & set(said[1][1:])


def test_only_the_ordinary_command_without_local_settings_is_forked(tmp_path):
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "x.json"]
    assert can_fork(command, folder=str(tmp_path))
    assert not can_fork(["/usr/bin/other", *command[1:]], folder=str(tmp_path))
    assert not can_fork([sys.executable, "-O", *command[1:]], folder=str(tmp_path))
    (tmp_path / "matplotlibrc").touch()
    assert not can_fork(command, folder=str(tmp_path))


@pytest.mark.slow
def test_a_long_name_of_the_temporary_folder_is_avoided(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    run_all([task("a", tmp_path, "print('fine')")], jobs=1)
    assert outputs(tmp_path / "a.ipynb") == "fine\n"
    assert tempfile.gettempdir() == str(long)


def test_a_module_that_cannot_be_loaded_is_passed_over(tmp_path, place, monkeypatch):
    monkeypatch.setattr(
        "evidence.build.kernels.PRELOADED", ("ipykernel.kernelapp", "no_such_module", "no.such.*")
    )
    run_all([task("a", tmp_path, "print('fine')")], jobs=1)
    assert outputs(tmp_path / "a.ipynb") == "fine\n"


@pytest.mark.slow
@LINUX
@pytest.mark.parametrize("cold", [False, True], ids=["forked", "cold"])
def test_a_killed_kernel_is_an_error_that_names_the_notebook(tmp_path, place, capfd, cold):
    dies = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    with (
        kernels.chosen_kernels(cold=cold),
        pytest.raises(NotebookError, match=r"^dies: .*the kernel died \(SIGKILL"),
    ):
        run_all([task("dies", tmp_path, dies), task("lives", tmp_path, "1")], jobs=1)
    assert not (tmp_path / "dies.ipynb").exists()
    assert (tmp_path / "lives.ipynb").exists()
    assert nothing_left(place)
    assert capfd.readouterr() == ("", "")


@LINUX
@pytest.mark.slow
def test_without_its_server_a_run_goes_on_with_ordinary_kernels(tmp_path, place, capfd):
    kill = (
        "import os, pathlib, signal, time\n"
        f"mark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "if not mark.exists():\n    mark.touch()\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(60)\n"
        "print('went on')"
    )
    run_all([task("kills", tmp_path, kill), task("later", tmp_path, "print('went on')")], jobs=1)
    assert outputs(tmp_path / "kills.ipynb") == "went on\n"
    assert outputs(tmp_path / "later.ipynb") == "went on\n"
    assert nothing_left(place)
    assert zombies() == []
    assert capfd.readouterr() == ("", "")


@LINUX
def test_a_server_that_cannot_start_is_done_without(tmp_path, place, monkeypatch):
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "elsewhere.py"))
    run_all([task("a", tmp_path, "print('fine')")], jobs=1)
    assert outputs(tmp_path / "a.ipynb") == "fine\n"


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("cold", [False, True], ids=["forked", "cold"])
def test_a_finished_run_leaves_nothing_and_says_nothing(tmp_path, place, capfd, cold):
    leaves = (
        "import subprocess, sys, tempfile\ntempfile.mkdtemp()\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', {str(place)!r}])\nprint('done')"
    )
    with kernels.chosen_kernels(cold=cold):
        run_all([task(name, tmp_path, leaves) for name in "abc"], jobs=2)
    until(lambda: nothing_left(place), 5)
    assert zombies() == []
    assert kernels.ADDRESS not in os.environ
    assert capfd.readouterr() == ("", "")


SCRIPT = """
import signal
import sys
from pathlib import Path
from evidence.build.execute import Task, run_all
from evidence.build.kernels import chosen_kernels
# A shell that starts the tests in the background lets them ignore interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
folder = Path(sys.argv[1])
if __name__ == "__main__":
    tasks = [Task(name, (folder / "in.ipynb").read_text(), folder / name, folder, {}) for name in "abc"]
    with chosen_kernels(cold=sys.argv[2] == "cold"):
        try:
            run_all(tasks, jobs=2)
        except KeyboardInterrupt:
            sys.exit(130)
"""


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("cold", ["forked", "cold"])
@pytest.mark.parametrize("ending", ["interrupt", "kill", "terminate", "kill while starting"])
def test_a_run_that_ends_early_leaves_nothing(tmp_path, place, cold, ending):
    busy = (
        "import pathlib, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', {str(place)!r}])\n"
        f"pathlib.Path({str(tmp_path)!r}, 'busy').touch()\ntime.sleep(600)"
    )
    (tmp_path / "in.ipynb").write_text(text("1", busy))
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path), cold, str(place)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    until(lambda: processes("kernel_server.py") if "starting" in ending else (tmp_path / "busy").exists(), 60)
    if ending == "interrupt":
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal(signal.SIGTERM if ending == "terminate" else signal.SIGKILL)
    said, _ = run.communicate(timeout=20)
    if ending == "interrupt":
        assert (run.returncode, said) == (130, b"")
    until(lambda: nothing_left(place))
    assert not (tmp_path / "a").exists()


@LINUX
@pytest.mark.slow
def test_a_killed_worker_takes_its_kernel_along(tmp_path, place):
    slow = f"import pathlib, time\npathlib.Path({str(tmp_path)!r}, 'busy').touch()\ntime.sleep(600)"
    faults: list[str] = []
    others = set(_children())

    def execute() -> None:
        try:
            run_all([task("a", tmp_path, slow)], jobs=1)
        except NotebookError as error:
            faults.append(str(error))

    running = threading.Thread(target=execute)
    running.start()
    until((tmp_path / "busy").exists, 60)
    others |= set(processes("kernel_server.py"))
    worker = [pid for pid in _children() if pid not in others]
    os.kill(worker[0], signal.SIGKILL)
    running.join(20)
    assert faults
    assert faults[0].startswith("a: ")
    assert nothing_left(place)
    assert zombies() == []


def _children() -> list[int]:
    return [
        int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()
    ]


@pytest.mark.slow
def test_cold_is_an_argument_of_report_and_refresh(project, place, capfd):
    for command in (["report", "--renderer", "builtin", "--to", "html"], ["refresh"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--cold"])
        assert ended.value.code == 0
    assert "IPKernelApp" not in capfd.readouterr().err


STUCK = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
import kernel_server
kernel_server._detach = lambda server: time.sleep(600)
kernel_server.main(*sys.argv[1:])
"""


@LINUX
@pytest.mark.parametrize("end", ["server is dismissed", "client hangs up"])
def test_a_kernel_that_was_forked_a_moment_ago_holds_nobody_up(place, end):
    """It leads no group of processes yet, so that a signal to its group reaches nobody."""
    engine = str(Path(kernels.__file__).parent)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "server"))
        listener.listen()
        arguments = [engine, str(listener.fileno()), str(os.getpid()), str(place / "run")]
        command = [sys.executable, "-c", STUCK, *arguments]
        server = subprocess.Popen(command, pass_fds=(listener.fileno(),), start_new_session=True)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(place / "server"))
            send(client, {"command": ["sleep", "600"], "environment": {}, "folder": "/", "log": "/dev/null"})
            started = receive(client)
    assert started
    if end == "client hangs up":
        until(lambda: not Path(f"/proc/{started['pid']}").exists(), 5)
    server.terminate()
    assert server.wait(5) == 0
    assert not Path(f"/proc/{started['pid']}").exists()
    (place / "server").unlink()


@LINUX
def test_a_server_that_does_not_end_when_asked_is_killed(monkeypatch):
    monkeypatch.setattr(kernels, "FAREWELL", 0.2)
    deaf = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint(flush=True)\ntime.sleep(600)"
    server = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    assert server.stdout
    server.stdout.readline()
    kernels._dismiss(server)
    server.stdout.close()
    assert server.returncode == -signal.SIGKILL


@LINUX
def test_folders_of_killed_runs_are_removed_and_those_of_living_ones_are_not(place):
    abandoned = place / f"{kernels.RUN}abc"
    abandoned.mkdir()
    (abandoned / "x").touch()
    with kernels.run_folder() as first:
        assert not abandoned.exists()
        tempfile.tempdir = str(place)
        with kernels.run_folder() as second:
            assert {first, second} == set(place.iterdir())
    tempfile.tempdir = None
