"""What a training process prints is recorded, and nothing about its printing changes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from printing import Training

    from outrider_server.background import Background

START = "from outrider import core\nrun = core.init('p', id='r1')\n"


def test_prints_are_lines_of_both_streams(training: Training) -> None:
    """One record a line, however many pieces print() makes of it; both streams, any script."""
    done = training.python(
        START + "import sys\nprint('hello', 1, 2.5)\nprint('grüße 漢字 🎉')\n"
        "print('bad', file=sys.stderr)\nsys.stdout.writelines(['a\\n', 'b\\n'])\n"
    )
    assert done.code == 0, done.err
    assert done.out == "hello 1 2.5\ngrüße 漢字 🎉\na\nb\n"
    assert training.lines("out") == ["hello 1 2.5", "grüße 漢字 🎉", "a", "b"]
    assert "bad" in training.lines("err")
    out = [body["b"] for body in training.records() if body["o"] == "out"]
    assert out == ["hello 1 2.5\n", "grüße 漢字 🎉\n", "a\n", "b\n"]


def test_part_of_a_line_is_there_once_it_was_flushed(training: Training) -> None:
    """Also when the process is killed before the line ends."""
    done = training.python(
        START + "import os, signal\nprint('loading', end='', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert done.code == -9
    assert training.lines() == ["loading"]


def test_a_line_that_was_printed_survives_a_kill(training: Training) -> None:
    """The record is in the journal when print() returns, before the stream's buffer is flushed."""
    done = training.python(
        START + "import os, signal\nfor i in range(100): print('line', i)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert (done.code, done.out) == (-9, "")
    assert training.lines() == [f"line {i}" for i in range(100)]


def test_the_streams_stay_what_they_were(training: Training) -> None:
    """The same objects, with everything that programs ask of them; finish() leaves no trace."""
    done = training.python(
        "import sys, io, logging, pickle, copy\n"
        "before = sys.stdout, sys.stderr\n"
        "facts = [(s.isatty(), s.encoding, s.fileno(), s.buffer, s.errors, s.name) for s in before]\n"
        "early = logging.StreamHandler()\n"
        "from outrider import core\ncore.init('p')\n"
        "assert (sys.stdout, sys.stderr) == before\n"
        "assert isinstance(sys.stdout, io.TextIOWrapper)\n"
        "assert facts == [(s.isatty(), s.encoding, s.fileno(), s.buffer, s.errors, s.name)"
        " for s in before]\n"
        "log = logging.getLogger('x'); log.addHandler(early); log.warning('by an early handler')\n"
        "assert sys.stdout.write('abc\\n') == 4\n"
        "try: sys.stdout.write(5)\n"
        "except TypeError: print('as it should')\n"
        "core.finish()\n"
        "assert 'write' not in vars(sys.stdout) and 'flush' not in vars(sys.stderr)\n"
        "print('after the end')\n"
    )
    assert done.code == 0, done.err
    assert done.out == "abc\nas it should\nafter the end\n"
    assert training.lines() == ["by an early handler", "abc", "as it should"]


def test_what_is_redirected_is_not_the_console(training: Training) -> None:
    done = training.python(
        START + "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as kept:\n"
        "    print('kept')\nprint('shown')\nassert kept.getvalue() == 'kept\\n'\n"
    )
    assert done.code == 0, done.err
    assert training.lines() == ["shown"]


def test_others_may_wrap_over_us_and_unwrap_in_any_order(training: Training) -> None:
    """Where somebody's write lies over ours at the end, theirs stays and ours passes through."""
    done = training.python(
        "import sys\n"
        "def wrap(tag):\n"
        "    under = sys.stdout.write\n"
        "    def write(text): return under(text.replace('x', tag))\n"
        "    sys.stdout.write = write\n"
        "wrap('1')\nfrom outrider import core\ncore.init('p')\nwrap('2')\nprint('x a')\n"
        "core.finish()\nprint('x b')\nassert sys.stdout.write.__name__ == 'write'\n"
        "del sys.stdout.write\nprint('x c')\n"
    )
    assert done.code == 0, done.err
    assert done.out == "2 a\n2 b\nx c\n"
    assert training.lines() == ["2 a"]


def test_a_wrapper_below_ours_is_put_back(training: Training) -> None:
    done = training.python(
        "import sys\nunder = sys.stdout.write\ndef mine(text): return under(text.upper())\n"
        "sys.stdout.write = mine\nfrom outrider import core\ncore.init('p')\nprint('a')\n"
        "core.finish()\nassert sys.stdout.write is mine\nprint('b')\n"
    )
    assert (done.code, done.out) == (0, "A\nB\n"), done.err


@pytest.mark.parametrize(
    "stream",
    ["None", "type('S', (), {'__slots__': (), 'write': lambda s, t: 0, 'flush': lambda s: 0})()"],
)
def test_a_stream_that_cannot_be_wrapped_is_left_alone(training: Training, stream: str) -> None:
    done = training.python(
        f"import sys\nsys.stdout = {stream}\nfrom outrider import core\ncore.init('p')\n"
        "print('x')\nprint('err', file=sys.stderr)\ncore.finish()\n"
    )
    assert done.code == 0, done.err
    assert training.lines() == ["err"]


def test_one_object_for_both_streams_is_recorded_once(training: Training) -> None:
    done = training.python(
        "import sys\nsys.stderr = sys.stdout\n" + START + "print('a')\nprint('b', file=sys.stderr)"
    )
    assert done.code == 0, done.err
    assert training.lines() == ["a", "b"]


def test_a_stream_that_fails_fails_as_before(training: Training) -> None:
    """An error of the stream reaches the script, and what was not shown is not recorded."""
    done = training.python(
        "import sys\n" + START + "sys.stdout.reconfigure(encoding='ascii', errors='strict')\n"
        "try: print('ä')\nexcept UnicodeEncodeError: print('caught')\n"
    )
    assert (done.code, done.out) == (0, "caught\n"), done.err
    assert training.lines("out") == ["caught"]


def test_undecodable_bytes_come_through(training: Training) -> None:
    """A file name with odd bytes, printed with surrogateescape, goes as bytes."""
    done = training.python(
        "import sys\n" + START + "sys.stdout.reconfigure(errors='surrogateescape')\n"
        "sys.stdout.write(b'name \\xff\\n'.decode('utf-8', 'surrogateescape'))\nsys.stdout.write('')\n",
        PYTHONIOENCODING="utf-8:surrogateescape",
    )
    assert done.code == 0 or "utf-8" in done.err
    assert training.lines("out") == ["name �"]
    assert [body.get("x") for body in training.records() if body["o"] == "out"] == ["bmFtZSD/Cg=="]


@pytest.mark.parametrize("way", ["console=False", "OUTRIDER_CONSOLE=false"])
def test_it_can_be_switched_off(training: Training, way: str) -> None:
    env = {"OUTRIDER_CONSOLE": "false"} if way.startswith("O") else {}
    more = ", settings={'console': False}" if not env else ""
    done = training.python(
        f"import sys\nfrom outrider import core\ncore.init('p'{more})\nprint('x')\n"
        "assert 'write' not in vars(sys.stdout)\n",
        **env,
    )
    assert done.code == 0, done.err
    assert training.records() == []


def test_a_forked_child_writes_its_own_lines(training: Training) -> None:
    """Nothing that waited in the parent is recorded twice; the child's lines are its own writer's."""
    done = training.python(
        START
        + "import os, sys\nprint('half', end=' ')\nsys.stdout.flush()\nprint('wait', end=' ')\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    os.write(1, b''); print('child'); sys.stdout.flush(); os._exit(0)\n"
        "os.waitpid(pid, 0)\nprint('parent')\n"
    )
    assert done.code == 0, done.err
    assert sorted(training.lines()) == ["child", "half wait parent"]


def test_threads_lose_and_double_nothing(training: Training) -> None:
    done = training.python(
        START + "import threading\n"
        "def work(n):\n    for i in range(500): print(f'{n}-{i}\\n', end='')\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    assert done.code == 0, done.err
    expected = sorted(f"{n}-{i}" for n in range(4) for i in range(500))
    assert sorted(training.lines()) == expected
    if sys.version_info >= (3, 13):  # older text streams lose pieces by themselves between threads
        assert sorted(done.out.split()) == expected


FLOOD = START + (
    "import sys\nfor i in range(300):\n    print('x' * 49999)\n"
    "print('the error', file=sys.stderr)\n"
)


def test_a_flood_is_bounded_and_its_gap_shows(training: Training) -> None:
    """What a stream prints too much is left out and counted; the other stream has its own room."""
    done = training.python(FLOOD)
    assert done.code == 0, done.err
    assert len(done.out) == 300 * 50_000
    kept = sum(len(body.get("b", "")) for body in training.records() if body["o"] == "out")
    left_out = sum(body.get("n", 0) for body in training.records())
    assert kept < 10_000_000
    assert kept + left_out == 300 * 50_000
    assert next(line.gap for line in training.run().console() if line.gap) > 0
    assert "the error" in training.lines("err")


CRASH = "def inner():\n    raise ValueError('the reason')\n"


@pytest.mark.parametrize(
    "body",
    [
        "inner()",
        "with run:\n    inner()",
        "try:\n    inner()\nfinally:\n    core.finish(exit_code=1)",
        (
            "import traceback\ntry:\n    inner()\nexcept ValueError:\n    traceback.print_exc()\n"
            "    core.finish(1)"
        ),
    ],
    ids=["uncaught", "with", "finished", "printed"],
)
def test_a_crash_leaves_its_traceback_in_the_console(training: Training, body: str) -> None:
    """Once, whoever ends the run, and before the run's end."""
    training.python(START + CRASH + body)
    shown = training.lines("err")
    assert shown.count("ValueError: the reason") == 1
    assert "    raise ValueError('the reason')" in shown
    assert training.run().state == "failed"


def test_nothing_is_told_of_an_exception_that_does_not_end_the_run_badly(
    training: Training,
) -> None:
    training.python(
        START + "try:\n    raise ValueError('no')\nexcept ValueError:\n    core.finish()"
    )
    assert not [line for line in training.lines() if "ValueError" in line]


def test_tqdm_and_rich_are_as_a_terminal_shows_them(training: Training) -> None:
    """A bar is one line, nested bars are two; colours stay."""
    done = training.python(
        START + "from tqdm import tqdm\nfrom rich.console import Console\n"
        "from rich.progress import track\n"
        "for i in tqdm(range(30), desc='epochs', mininterval=0):\n"
        "    for j in tqdm(range(3), desc='steps', mininterval=0, leave=False): pass\n"
        "console = Console(force_terminal=True, width=60, color_system='standard')\n"
        "console.print('[red]red[/] plain')\n"
        "for i in track(range(20), description='rich', console=console): console.print('at', i)\n",
        TERM="xterm",
    )
    assert done.code == 0, done.err
    bars = [line for line in training.lines("err") if line.strip()]
    assert len(bars) == 1
    assert bars[0].startswith("epochs: 100%|██████████| 30/30")
    shown = training.lines("out")
    assert shown[0] == "\x1b[31mred\x1b[0m plain"
    assert [line for line in shown if line.startswith("at")] == [
        f"at \x1b[1;36m{i}\x1b[0m" for i in range(20)
    ]
    assert len([line for line in shown if line.startswith("rich")]) == 1
    assert "100%" in next(line for line in shown if line.startswith("rich"))


def test_both_streams_write_on_one_terminal(training: Training) -> None:
    """Where a bar was wiped the next line stands, whichever stream it comes from: what is printed
    after a bar is below it, and a traceback is in one piece at the end."""
    done = training.python(
        START + "from tqdm import tqdm\n"
        "for epoch in range(2):\n"
        "    for _ in tqdm(range(3), desc='wiped', mininterval=0, leave=False): pass\n"
        "    print('epoch', epoch)\n"
        "for _ in tqdm(range(3), desc='outer', mininterval=0, position=0):\n"
        "    for _ in tqdm(range(3), desc='inner', mininterval=0, position=1, leave=False): pass\n"
        "print('results')\n"
        "raise ValueError('bad')\n",
    )
    assert done.code == 1
    shown = training.lines()
    assert [line[:9] for line in shown[:5]] == [
        "epoch 0", "epoch 1", "outer: 10", "results", "Traceback",
    ]  # fmt: skip
    assert shown[-1] == "ValueError: bad"
    assert all(line.strip() for line in shown)


def test_it_works_under_pytests_capture(training: Training) -> None:
    """A test that records sees what it printed through capsys, and our end breaks nothing."""
    (training.folder / "test_it.py").write_text(
        "from outrider import core\n"
        "def test_one(capsys):\n"
        "    core.init('p', id='r1'); print('seen'); core.finish()\n"
        "    assert capsys.readouterr().out == 'seen\\n'\n"
        "def test_two(capfd):\n"
        "    run = core.init('p', id='r2'); print('again')\n"
        "    assert capfd.readouterr().out == 'again\\n'\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"],
        cwd=training.folder, env=training.env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_debugger_works_as_before(training: Training) -> None:
    """Pdb reads its commands and shows its answers."""
    (training.folder / "script.py").write_text(
        START + "x = 41\nbreakpoint()\nprint('went on')\n", encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=training.folder, env=training.env,
        input="p x + 1\nc\n", capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "42" in done.stdout
    assert "went on" in done.stdout
    assert any(line.endswith("went on") for line in training.lines("out"))


def test_the_server_tells_the_same_as_the_folder(training: Training, server: Background) -> None:
    """Lines of several writers, bars, colours, gaps and odd bytes."""
    done = training.python(
        START + "import os, sys\n"
        "for i in range(3000): print(f'\\x1b[3{i % 8}mline\\x1b[0m {i}')\n"
        "for i in range(50): sys.stderr.write(f'\\rbar {i}'); sys.stderr.flush()\n"
        "pid = os.fork()\nif not pid:\n    print('child'); os._exit(0)\n"
        "os.waitpid(pid, 0)\nprint('y' * 3_000_000)\nprint('end')\n"
    )
    assert done.code == 0, done.err
    remote = training.deliver(server)
    local = training.run().console()
    assert len(local) > 3000
    assert remote.console() == local
