"""Nothing that is shipped unpickles, evaluates, or hands a line to a shell."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted(
    path
    for base in ("core", "integrations", "server", "examples")
    for path in (ROOT / base).rglob("*.py")
    if "node_modules" not in path.parts
)

FORBIDDEN_MODULES = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle",
    "telnetlib", "ftplib", "xmlrpc", "xml.etree.ElementTree", "xml.dom.minidom", "xml.sax",
    "commands", "popen2", "code", "codeop", "imp",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execl", "os.execlp",
    "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "tempfile.mktemp",
    "subprocess.getoutput", "subprocess.getstatusoutput", "torch.load", "runpy.run_path",
    "runpy.run_module", "pandas.read_pickle", "np.load", "numpy.load",
    "ssl._create_unverified_context", "shutil.unpack_archive",
}  # fmt: skip
SAFE_WHEN = {"np.load": "allow_pickle", "numpy.load": "allow_pickle", "torch.load": "weights_only"}


def dangers(source: str) -> list[str]:
    """What a module does that none of ours may do, each with its line."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            names = []
        found += [f"{node.lineno}: {name}" for name in names if name in FORBIDDEN_MODULES]
        if isinstance(node, ast.Call):
            found += [f"{node.lineno}: {word}" for word in _call(node)]
    return found


def _call(node: ast.Call) -> list[str]:
    name = ast.unparse(node.func)
    keywords = {word.arg: word.value for word in node.keywords}
    found = []
    if name in FORBIDDEN_CALLS:
        safe = keywords.get(SAFE_WHEN.get(name))
        is_safe = isinstance(safe, ast.Constant) and safe.value is (name == "torch.load")
        if not is_safe:
            found.append(name)
    for word, safe_values in (("shell", {False}), ("verify", {True}), ("allow_pickle", {False})):
        value = keywords.get(word)
        if value is not None and not (
            isinstance(value, ast.Constant) and value.value in safe_values
        ):
            found.append(f"{name}({word}={ast.unparse(value)})")
    if name.endswith(("extractall", ".extract")):
        found.append(name)
    first = node.args[0] if node.args else None
    if name.startswith("subprocess.") and isinstance(first, (ast.Constant, ast.JoinedStr)):
        found.append(f"{name} of one text")
    return found


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_runs_what_it_reads(path: Path) -> None:
    """No pickle, eval, exec, unsafe YAML, shell, unchecked TLS or unpacking of archives."""
    assert dangers(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "from xml.etree import ElementTree\nimport xml.etree.ElementTree",
        "eval('1')",
        "def f(x):\n    exec(x)",
        "import yaml\nyaml.load(x)",
        "subprocess.run('ls', shell=True)",
        "subprocess.run(x, shell=y)",
        "subprocess.run(f'ls {x}')",
        "requests.get(url, verify=False)",
        "np.load(x)",
        "np.load(x, allow_pickle=True)",
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "tar.extractall(x)",
        "os.system(x)",
    ],
)
def test_the_check_sees_what_it_looks_for(source: str) -> None:
    """Each danger by itself."""
    assert dangers(source)


def test_the_page_neither_evaluates_nor_writes_html() -> None:
    """In TypeScript: no eval, no Function, no innerHTML, no postMessage to everybody."""
    words = ("eval(", "new Function", "innerHTML", "outerHTML", "insertAdjacentHTML",
             "document.write", "dangerouslySetInnerHTML", "srcdoc", '"*")', "javascript:")  # fmt: skip
    files = [
        path
        for path in (ROOT / "web" / "src").rglob("*")
        if path.suffix in (".ts", ".tsx") and ".test." not in path.name
    ]
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in words
        if word in line and not line.strip().startswith(("//", "*"))
        # The frame that draws figures has no origin that could be named.
        if not (path.name == "PlotView.tsx" and "frame.current?.contentWindow" in line)
    ]
    assert found == []
