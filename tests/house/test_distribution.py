"""What people install: a fresh clone, an sdist, a wheel, and README's first command.

Takes minutes, so it runs only with `-m distribution` (`tox -e distribution`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

from house import ROOT, tracked

pytestmark = [pytest.mark.distribution, pytest.mark.timeout(1200)]

PAGE = "outrider_server/static/index.html"


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """What pip and npm need from outside, taken before a test gets a home of its own."""
    return {name: text for name, text in os.environ.items() if not name.startswith("OUTRIDER_")}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files in a folder of their own: nothing built, no git, no environment."""
    place = tmp_path_factory.mktemp("clone")
    for path in tracked():
        target = place / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        target.chmod(path.stat().st_mode)
    return place


def run(*command: str | Path, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}:\n{done.stdout[-6000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def built(
    clone: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The sdist built from the clone, and the wheel built from that sdist."""
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", dist, cwd=clone, env=environment)
    (sdist,) = dist.glob("*.tar.gz")
    (wheel,) = dist.glob("*.whl")
    return sdist, wheel


def fresh_python(place: Path, env: dict[str, str]) -> Path:
    run(sys.executable, "-m", "venv", place, cwd=place.parent, env=env)
    return place / "bin"


def test_sdist_and_wheel_carry_the_built_page(built: tuple[Path, Path]) -> None:
    """Who installs from either needs neither Node nor npm."""
    sdist, wheel = built
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    assert any(name.endswith(PAGE) for name in names)
    assert not any("node_modules" in name for name in names)
    for wanted in ("tox.ini", "hatch_build.py", "web/package.json", "LICENSE", "docs/index.md"):
        assert any(name.endswith("/" + wanted) for name in names), wanted
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert PAGE in names
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    adapters = {f"outrider_{name}" for name in ("plain", "lightning", "keras", "more")}
    assert tops == {"outrider", "outrider_server", *adapters}
    assert any(name.startswith("outrider_server/store/migrations/") for name in names)
    assert "outrider/py.typed" in names


def test_the_metadata_is_complete(built: tuple[Path, Path], environment: dict[str, str]) -> None:
    """Package indexes accept and render it; the wheel holds nothing that it should not."""
    sdist, wheel = map(str, built)
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel, cwd=ROOT, env=environment)
    run("check-wheel-contents", "--ignore", "W002,W009", wheel, cwd=ROOT, env=environment)


def test_the_bare_wheel_logs_and_reads_back(
    built: tuple[Path, Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """`pip install outrider` alone, without any extra, records, reads back and has its commands."""
    scripts = fresh_python(tmp_path / "venv", environment)
    run(scripts / "pip", "install", "-q", built[1], cwd=tmp_path, env=environment)
    code = (
        "from outrider import api, core\n"
        "run = core.init(project='bare', mode='offline')\n"
        "for step in range(9): core.log({'loss': 1 / (step + 1)})\n"
        "core.finish()\n"
        "assert len(list(api.open(run.folder).points('loss'))) == 9\n"
        "import sys; assert 'numpy' not in sys.modules\n"
    )
    env = {**environment, "HOME": str(tmp_path)}
    run(scripts / "python", "-W", "error", "-c", code, cwd=tmp_path, env=env)
    assert "bare" in run(scripts / "outrider", "runs", cwd=tmp_path, env=env)
    listed = json.loads(run(scripts / "outrider", "plugins", "--json", cwd=tmp_path, env=env))
    declared = ConfigParser()
    with zipfile.ZipFile(built[1]) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith("/entry_points.txt")]
        declared.read_string(archive.read(path).decode())
    assert sorted(one["name"] for one in listed) == sorted(declared["outrider"]), "each once"
    assert {"plain", "lightning", "keras", "sampler", "capture", "http"} <= set(
        declared["outrider"]
    )
    assert all(one["enabled"] and one["hooks"] and not one["problem"] for one in listed)
    run(scripts / "outrider", "show", str(next((tmp_path / ".outrider/runs").glob("2*"))),
        cwd=tmp_path, env=env)  # fmt: skip


def test_the_readme_s_first_command_shows_everything(
    clone: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """`pip install '.[demo]' && outrider demo`, typed in a fresh clone with a fresh environment."""
    readme = (clone / "README.md").read_text()
    assert "pip install '.[demo]' && outrider demo" in readme
    scripts = fresh_python(tmp_path / "venv", environment)
    path = os.pathsep.join([str(scripts), environment.get("PATH", "")])
    env = {**environment, "PATH": path, "HOME": str(tmp_path)}
    cache = Path(environment.get("HOME", str(tmp_path)))  # what was downloaded before is not again
    env.setdefault("PIP_CACHE_DIR", str(cache / ".cache" / "pip"))
    env.setdefault("npm_config_cache", str(cache / ".npm"))
    for name in ("CONFIG", "STATE", "DATA"):
        env.pop(f"XDG_{name}_HOME", None)
    run("bash", "-c", "pip install '.[demo]'", cwd=clone, env=env)
    said = run(
        "bash", "-c", "outrider demo --once --fast --no-browser --port 0", cwd=clone, env=env
    )
    assert "http://127.0.0.1:" in said
    assert not (clone / ".outrider").exists(), "nothing is written into the working folder"
