"""Help, errors and exit codes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cli_shell import NOBODY
from typer.testing import CliRunner

from outrider.cli.app import app
from outrider.cli.plugin import COMMANDS

if TYPE_CHECKING:
    from cli_shell import Shell


def test_the_help_names_every_command_and_every_exit_code(shell: Shell) -> None:
    shown = shell("--help", COLUMNS="120")
    assert shown.code == 0
    for name in COMMANDS:
        assert f" {name} " in shown.out
    assert "cannot be loaded" not in shown.out
    for meaning in ("records remain undelivered", "no such run", "no Outrider server answers"):
        assert meaning in " ".join(shown.out.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_page_with_its_exit_codes(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"], prog_name="outrider", terminal_width=120)
    assert shown.exit_code == 0, shown.output
    assert "Usage: outrider " + name in shown.output
    if name == "run":
        assert "The exit code is the program's own" in shown.output
    elif name not in ("on", "off", "plugins"):
        assert "Exit codes: 0 done" in shown.output


def test_the_version_is_printed_without_loading_any_command(shell: Shell) -> None:
    shown = shell("--version")
    assert shown.code == 0
    assert shown.out.startswith("outrider 0.")


def test_loading_the_program_loads_nothing_heavy() -> None:
    script = "import sys, outrider.cli.app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    ).stdout.split()
    heavy = {"requests", "numpy", "pandas", "pyarrow", "uvicorn", "starlette", "sklearn", "psutil"}
    assert not heavy & set(loaded)


def test_a_wrong_command_is_a_usage_error_with_a_suggestion(shell: Shell) -> None:
    shown = shell("statsu")
    assert shown.code == 2
    assert "Did you mean 'status'" in shown.err


def test_a_run_that_is_nowhere_names_both_places(recorded: Shell) -> None:
    shown = recorded("show", "three")
    assert shown.code == 4
    assert "no run 'three' in this folder" in shown.err
    assert "connection refused" in shown.err
    assert "Traceback" not in shown.err


def test_a_broken_setting_is_a_message_a_hint_and_code_2(shell: Shell) -> None:
    shown = shell("status", OUTRIDER_MODE="sideways")
    assert shown.code == 2
    assert "error: environment OUTRIDER_MODE: 'sideways' is not a mode" in shown.err
    assert "hint: online, offline" in shown.err


def test_debugging_shows_the_traceback(shell: Shell) -> None:
    shown = shell("show", "three", OUTRIDER_DEBUG="1")
    assert shown.code == 1
    assert "Traceback" in shown.err


def test_a_server_that_is_not_there_is_code_4(shell: Shell) -> None:
    shown = shell("runs", "--server")
    assert shown.code == 4
    assert f"{NOBODY}: connection refused" in shown.err


def test_a_reader_that_goes_away_is_no_error(recorded: Shell) -> None:
    ended = subprocess.run(
        f"{sys.executable} -m outrider.cli export two | head -c 5",
        shell=True,
        cwd=recorded.folder,
        env=recorded.env,
        capture_output=True,
        text=True,
    )
    assert ended.stdout == '{"_st'
    assert ended.stderr == ""


def test_a_plugins_command_joins_and_a_broken_one_says_so(shell: Shell) -> None:
    (shell.folder / "mine.py").write_text(
        "from outrider.hooks import hookimpl\n"
        "@hookimpl\n"
        "def outrider_commands():\n"
        "    return [('hello', 'mine:hello'), ('bad', 'not_there:app'), ('runs', 'mine:hello')]\n"
        "def hello(name: str = 'you') -> None:\n"
        "    'Greet somebody.'\n"
        "    print('hello', name)\n"
    )
    script = "import sys, mine; from outrider import plugins; plugins.register(mine, 'mine')\n"
    script += "sys.argv = ['outrider', *{!r}]\nfrom outrider.cli import main; main()"
    env = {"PYTHONPATH": str(shell.folder)}
    assert shell.python(script.format(["hello", "--name", "me"]), **env).out == "hello me\n"
    shown = shell.python(script.format(["bad", "x"]), **env)
    assert shown.code == 1
    assert "the command 'bad' cannot be loaded" in shown.err
    assert "Greet somebody" in shell.python(script.format(["--help"]), **env).out
    assert "no runs" in shell.python(script.format(["runs"]), **env, OUTRIDER_MODE="offline").out


def test_colours_are_left_out_of_pipes(recorded: Shell) -> None:
    assert "\x1b" not in recorded("runs").out
