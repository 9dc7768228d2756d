"""The repository's own habits: small rooms, one sentence a module, nothing of one machine in it."""

from __future__ import annotations

import ast
import re

import pytest

from house import ROOT, modules, tracked

MODULES = modules()
TEXTS = {
    path: text
    for path in tracked()
    if path.suffix not in {".png", ".ico", ".woff2", ".lock", ".gz"}
    and path.name not in {"LICENSE", "package-lock.json"}
    and (text := path.read_bytes().decode("utf-8", "ignore")) is not None
}

# Hosts that may be named: loopback, names reserved for examples, namespaces of SVG and HTML.
HOSTS = re.compile(
    r"^(127\.\d+\.\d+\.\d+|192\.0\.2\.\d+|198\.51\.100\.\d+|203\.0\.113\.\d+|10\.\d+\.\d+\.\d+|0\.0\.0\.0|localhost|\[::1?\]|(.*\.)?(example|invalid|test)(\.(com|org|net))?\.?"
    r"|www\.w3\.org|www\.apache\.org|json-schema\.org|host|server|somewhere|\W.*|)$"
)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_at_most_400_lines(name: str) -> None:
    """A room that does not fit is two rooms."""
    lines = MODULES[name].read_text(encoding="utf-8").count("\n")
    assert lines <= 400


@pytest.mark.parametrize("name", MODULES)
def test_a_module_opens_with_what_it_is_for(name: str) -> None:
    """Every module that holds code says in a sentence why it exists."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree)


def test_no_url_names_a_host_of_somebody() -> None:
    """Only loopback and example addresses: no registry, mirror or machine is named anywhere."""
    wrong = {
        f"{path.relative_to(ROOT)}: {host}"
        for path, text in TEXTS.items()
        for host in re.findall(r"https?://(\[[0-9a-fA-F:]*\]|[\w.-]*)", text)
        if not HOSTS.match(host) and "." in host
    }
    assert not wrong


def test_no_path_of_one_machine_is_named() -> None:
    """Files and folders of the machine where this was written are nobody's business."""
    pattern = re.compile(r"(?<![\w.~}*)-])/(?:root|opt|mnt|work)/\w")
    wrong = {
        f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
        for path, text in TEXTS.items()
        for line in text.splitlines()
        if pattern.search(line)
    }
    assert not wrong


def test_nothing_is_left_to_do_by_nobody() -> None:
    """A TODO without an owner is a defect in hiding."""
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\()")
    wrong = {
        f"{path.relative_to(ROOT)}: {line.strip()[:100]}"
        for path, text in TEXTS.items()
        if path.suffix in {".py", ".ts", ".tsx", ".toml", ".ini", ".yaml"}
        and path.name != "test_repository.py"
        for line in text.splitlines()
        if mark.search(line)
    }
    assert not wrong


def test_a_tests_cases_are_named_alike_in_every_process() -> None:
    """A set's text has another order in each process: its tests would not be found by the next."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, text in TEXTS.items()
        if path.suffix == ".py" and "ids=" in text
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        for named in call.keywords
        if named.arg == "ids" and isinstance(named.value, ast.Name)
        for node in ast.walk(call)
        if isinstance(node, ast.Set | ast.SetComp)
        or (isinstance(node, ast.Name) and node.id in {"set", "frozenset"})
    ]
    assert not wrong
