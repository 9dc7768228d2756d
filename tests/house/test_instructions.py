"""What ``log()`` and ``init()`` cost, counted in instructions: no busy machine changes that number.

The figures are ratios: of ``log()`` to the least that a lossless log can do (time, orjson, write) in
the same interpreter, of ``init()`` to the import of orjson, which it cannot do without. What takes
time in caches and in the kernel is for the benchmarks to tell.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys, time
import orjson
way, calls, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
values = {f"train/metric_{index}": 0.1234567 * (index + 1) for index in range(count)}
from outrider import core
core.init(project="house", mode="offline", settings={"quiet": True})
fd = os.open("least", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
steps = iter(range(1 << 60))
def least(values):
    record = {"t": time.time(), "s": next(steps), "p": values}
    os.write(fd, orjson.dumps(record, None, orjson.OPT_APPEND_NEWLINE))
log = core.log if way == "ours" else least
for _ in range(calls):
    log(values)
os._exit(0)
"""

FEW, MANY = 500, 2500


START = """
import os, typing
if {with_orjson}: import orjson
from outrider import core
if {with_init}: core.init(project="house", mode="offline", settings={{"quiet": True}})
os._exit(0)
"""


def counted(way: str, calls: int, values: int, place: Path) -> int:
    """Instructions of a process that logs."""
    return instructions(place, SCRIPT, way, str(calls), str(values))


def instructions(place: Path, *arguments: str) -> int:
    """Instructions of a whole process, its modules compiled before."""
    python = [sys.executable, "-c", *arguments]
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *python]
    env = {**os.environ, "PYTHONHASHSEED": "0", "HOME": str(place)}
    env |= {"PYTHONPYCACHEPREFIX": str(place / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run(python, cwd=place, env=env, capture_output=True, timeout=60, check=True)
    done = subprocess.run(
        command, cwd=place, env=env, capture_output=True, text=True, timeout=170, check=True
    )
    (line,) = (line for line in done.stderr.splitlines() if "Collected" in line)
    return int(line.rpartition(":")[2])


def need_valgrind() -> None:
    if shutil.which("valgrind") is None:
        assert not os.environ.get("CI"), "CI needs valgrind"
        pytest.skip("valgrind is not installed")


@pytest.mark.timeout(900)  # under valgrind
@pytest.mark.parametrize(("values", "most"), [(1, 1.6), (10, 2.1)])
def test_log_takes_few_instructions_more_than_the_least(
    tmp_path: Path, values: int, most: float
) -> None:
    need_valgrind()
    cost = {
        way: counted(way, MANY, values, tmp_path) - counted(way, FEW, values, tmp_path)
        for way in ("least", "ours")
    }
    assert 0 < cost["least"] < cost["ours"] < most * cost["least"], cost


def test_init_takes_few_instructions_beside_the_json_library(tmp_path: Path) -> None:
    """Most of what ``init()`` costs a bare interpreter is orjson's import; ours is a part of that."""
    need_valgrind()
    cost = {}
    for name, with_orjson, with_init in (("bare", 0, 0), ("orjson", 1, 0), ("init", 1, 1)):
        script = START.format(with_orjson=with_orjson, with_init=with_init)
        cost[name] = instructions(tmp_path, script)
    print(cost)
    assert 0 < cost["init"] - cost["orjson"] < 0.4 * (cost["orjson"] - cost["bare"]), cost
