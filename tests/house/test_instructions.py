"""What ``log()`` and ``init()`` cost, counted in instructions: no busy machine changes that number.

One process under valgrind tells it all. The figures are ratios: of ``log()`` to the least that a
lossless log can do (time, orjson, write) in the same interpreter, of ``init()`` to the import of
orjson, which it cannot do without. What takes time in caches and in the kernel is for the
benchmarks to tell.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

# Every getppid() ends a part of the count: what lies between two of them is one line of `PARTS`.
SCRIPT = """
import os, time, typing
os.getppid()
import orjson
os.getppid()
from outrider import core
core.init(project="house", mode="offline", settings={"quiet": True})
os.getppid()
fd = os.open("least", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
steps = iter(range(1 << 60))
def least(values):
    record = {"t": time.time(), "s": next(steps), "p": values}
    os.write(fd, orjson.dumps(record, None, orjson.OPT_APPEND_NEWLINE))
for count in (1, 10):
    values = {f"train/metric_{index}": 0.1234567 * (index + 1) for index in range(count)}
    for log in (least, core.log):
        for _ in range(100):
            log(values)
        os.getppid()
        for _ in range(500):
            log(values)
        os.getppid()
os._exit(0)
"""

PARTS = (
    *("bare", "orjson", "init"),
    *("warm-up", "least of 1", "warm-up", "ours of 1"),
    *("warm-up", "least of 10", "warm-up", "ours of 10"),
)


@pytest.fixture(scope="module")
def cost(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Instructions of each part, in a process whose modules were compiled before."""
    if shutil.which("valgrind") is None:
        assert not os.environ.get("CI"), "CI needs valgrind"
        pytest.skip("valgrind is not installed")
    place = tmp_path_factory.mktemp("counted")
    python = [sys.executable, "-c", SCRIPT]
    counting = ["valgrind", "--tool=callgrind", "--dump-before=getppid"]
    counting += [f"--callgrind-out-file={place / 'part'}", *python]
    env = {**os.environ, "PYTHONHASHSEED": "0", "HOME": str(place)}
    env |= {"PYTHONPYCACHEPREFIX": str(place / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    for command in (python, counting):
        subprocess.run(command, cwd=place, env=env, capture_output=True, timeout=600, check=True)
    texts = [(place / f"part.{number + 1}").read_text() for number in range(len(PARTS))]
    cost = {part: int(text.split("totals: ")[1]) for part, text in zip(PARTS, texts, strict=True)}
    print(cost)
    return cost


@pytest.mark.timeout(900)  # under valgrind
@pytest.mark.parametrize(("values", "most"), [(1, 1.65), (10, 2.1)])
def test_log_takes_few_instructions_more_than_the_least(
    cost: dict[str, int], values: int, most: float
) -> None:
    least, ours = cost[f"least of {values}"], cost[f"ours of {values}"]
    assert 0 < least < ours < most * least, cost


@pytest.mark.timeout(900)  # under valgrind
def test_init_takes_few_instructions_beside_the_json_library(cost: dict[str, int]) -> None:
    """Most of what ``init()`` costs a bare interpreter is orjson's import; ours is a part of that."""
    assert 0 < cost["init"] < 0.4 * cost["orjson"], cost
