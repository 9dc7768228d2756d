"""``outrider check``: every rule that a writer breaks is told with file, line, reason and hint."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from outrider.conformance import Finding, check_folder
from outrider.conformance.shapes import KINDS
from outrider.errors import NotFound

T = 1_763_860_000.5
HEAD = (
    f'{{"t":{T},"k":"head","v":1,"run":"r1","w":"w1","n":1,"a":1,"host":"h","pid":7,"start":1,'
    '"boot":"b","role":"foreign","primary":true}'
)
END = f'{{"t":{T + 9},"k":"end","w":"w1","a":1,"state":"finished","code":0}}'
META = {"format": 1, "id": "r1", "project": "p"}


def made(
    place: Path, *lines: str, head: str = HEAD, meta: Any = META, name: str = "w1-000001.jsonl"
) -> Path:
    """A run's folder with these lines behind a head."""
    folder = place / "run"
    (folder / "journal").mkdir(parents=True)
    folder.chmod(0o700)
    text = meta if isinstance(meta, str) else json.dumps(meta)
    (folder / "run.json").write_text(text, encoding="utf-8")
    data = "".join(f"{line}\n" for line in (head, *lines) if line)
    (folder / "journal" / name).write_bytes(data.encode("utf-8", "surrogateescape"))
    return folder


def only(folder: Path, *, is_error: bool = True) -> Finding:
    found = check_folder(folder)
    assert len(found.findings) == 1, found.findings
    assert found.findings[0].is_error is is_error
    assert found.conforms is not is_error
    return found.findings[0]


GOOD = [
    '"s":1,"p":{"loss":0.1,"n":3,"flag":true,"bad":"NaN","low":"-Infinity"}',
    '"s":-5,"p":{}',
    '"k":"config","c":{"lr":0.1,"deep":{"a":[1,null]}},"x":["old"]',
    '"k":"summary","c":{"best":1}',
    '"k":"metric","name":"val/*","step":null,"summary":"min","goal":"minimize","hidden":false',
    '"k":"attempt","a":2,"rewind":null',
    '"k":"run","name":"n","tags":["a"],"notes":null',
    '"k":"alert","title":"hot","text":"","level":"WARN"',
    '"k":"console","o":"out","b":"hello\\n"',
    '"k":"console","o":"err","x":"/w=="',
    '"k":"console","o":"out","n":12',
    '"k":"save","path":"a/b.pt","source":"/x/b.pt","policy":"now"',
    f'"k":"file","path":"a/b.pt","sha256":"{"0" * 64}","size":0,"type":null,"role":"save","state":"ok"',
    '"k":"file","path":"gone","role":"save","state":"vanished","why":"not there"',
    '"k":"media","s":1,"key":"examples","type":"image","parts":[{"spool":"w1-1.png","as":"png"}]',
    '"k":"code","c":{}', '"k":"environment","c":{}', '"k":"host","c":{}',
    '"k":"sys","d":30.0,"p":{"system/cpu":1.5}',
    '"k":"gap","n":3,"why":"disk full"',
    '"k":"from-the-future","anything":1',
]  # fmt: skip


def test_a_run_of_every_kind_conforms(tmp_path: Path) -> None:
    """Nothing is found in a right folder, whatever kinds of records it holds."""
    lines = [f'{{"t":{T},{rest}}}' for rest in GOOD]
    found = check_folder(made(tmp_path, *lines, "", END))
    assert found.findings == []
    assert found.conforms
    assert (found.writers, found.records) == (1, len(GOOD) + 2)
    kinds = {json.loads(line).get("k", "points") for line in [HEAD, END, *lines]}
    assert kinds == {*KINDS, "points", "from-the-future"}


BAD = [
    ('"s":1.0,"p":{}', "step", "without a fraction"),
    ('"s":true,"p":{}', "step", "whole"),
    (f'"s":{1 << 63},"p":{{}}', "step", "64 bits"),
    ('"s":1,"p":[1]', "points", "object"),
    ('"loss":0.1', "step", ""),
    ('"s":1,"p":{"":1}', "name", "empty"),
    ('"s":1,"p":{"a":"nan"}', "value", '"NaN"'),
    ('"s":1,"p":{"a":"high"}', "value", "config or summary"),
    ('"s":1,"p":{"a":null}', "value", "leave the name out"),
    ('"s":1,"p":{"a":{"b":1}}', "value", "flatten"),
    ('"k":"config"', "shape", "'c'"),
    ('"k":"config","c":{},"x":"old"', "shape", "list"),
    ('"k":"metric","name":"a","summary":"avg"', "shape", "mean"),
    ('"k":"metric"', "shape", "name"),
    ('"k":"attempt","a":0', "shape", "from 1"),
    ('"k":"run","tags":"a,b"', "shape", "list"),
    ('"k":"alert","title":"x","level":"bad"', "shape", "WARN"),
    ('"k":"console","o":"stdout","b":"x"', "shape", "out, err"),
    ('"k":"console","o":"out"', "shape", "one of"),
    ('"k":"console","o":"out","x":"***"', "shape", "base64"),
    ('"k":"save","path":"../x","source":"/x","policy":"now"', "shape", "relative"),
    ('"k":"save","path":"x","source":"x","policy":"now"', "shape", "absolute"),
    ('"k":"file","path":"x","state":"ok","size":1', "shape", "64 digits"),
    ('"k":"media","s":1,"key":"a","type":"picture"', "shape", "image"),
    ('"k":"host"', "shape", "object"),
    ('"k":"sys","d":0,"p":{}', "shape", "seconds"),
    ('"k":"gap","n":0', "shape", "from 1"),
    ('"k":"end","w":"w1","state":"done"', "shape", "finished"),
    ('"k":"end","w":"W 1","state":"failed","code":1', "shape", "writer"),
]


@pytest.mark.parametrize(("rest", "rule", "says"), BAD)
def test_a_record_of_the_wrong_shape_is_told(
    tmp_path: Path, rest: str, rule: str, says: str
) -> None:
    """Its line, the rule, what stands there and what should."""
    found = check_folder(made(tmp_path, f'{{"t":{T},"s":0,"p":{{}}}}', f'{{"t":{T},{rest}}}', END))
    first = found.findings[0]
    assert (first.file, first.line, first.rule) == ("journal/w1-000001.jsonl", 3, rule)
    assert says in f"{first.reason} {first.hint}"
    assert not found.conforms


LINES = [
    (f'{{"t":{T},"s":1,"p":{{"a":NaN}}}}', "record", "NaN and infinities"),
    ("{'t':1,'s':1}", "record", "double quotes"),
    ("not json", "record", "its time"),
    ("[1,2]", "record", "not an object"),
    ('{"s":1,"p":{}}', "record", "time"),
    (f'{{"t":"{T}","s":1,"p":{{}}}}', "record", "begins with its time"),
    (f'{{"t":{T * 1000},"s":1,"p":{{}}}}', "time", "milliseconds"),
    (f'{{"t":{T * 1e9},"s":1,"p":{{}}}}', "time", "nanoseconds"),
    ('{"t":12.5,"s":1,"p":{}}', "time", "no unix seconds"),
    (f'{{"s":1,"t":{T},"p":{{}}}}', "begin", '{"t":'),
    (f'{{"t": {T}, "s": 1, "p": {{}}}}\r', "newline", "carriage return"),
    (f'{{"t":{T},"s":1,"p":{{"a{{"t":{T},"s":1,"p":{{}}}}', "record", "torn"),
    (f'{{"t":{T},"s":1,"p":{{}}}}{{"t":{T},"s":2,"p":{{}}}}', "record", "torn"),
    ('{"t":\udcff}', "record", "UTF-8"),
    ("\udcff\udcfe", "record", "a line, in UTF-8"),
]


@pytest.mark.parametrize(("line", "rule", "says"), LINES)
def test_a_line_that_is_no_record_is_told(tmp_path: Path, line: str, rule: str, says: str) -> None:
    found = check_folder(made(tmp_path, line, END))
    first = found.findings[0]
    assert (first.line, first.rule) == (2, rule), first
    assert says in f"{first.reason} {first.hint}"


def test_a_torn_tail_is_told(tmp_path: Path) -> None:
    folder = made(tmp_path)
    path = folder / "journal" / "w1-000001.jsonl"
    path.write_bytes(path.read_bytes() + f'{{"t":{T},"s":1,"p":{{}}}}'.encode())
    finding = only(folder)
    assert (finding.line, finding.rule) == (2, "newline")


def test_a_record_that_is_too_long_is_told(tmp_path: Path) -> None:
    folder = made(tmp_path, '{"t":' + " " * (17 << 20) + "1}", END)
    assert only(folder).rule == "length"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('"v":1', '"v":2', "head"),
        ('"run":"r1"', '"run":"r2"', "head"),
        ('"w":"w1"', '"w":"w2"', "head"),
        ('"n":1', '"n":2', "head"),
        ('"a":1', '"a":"1"', "head"),
        ('"role":"foreign"', '"role":"me"', "head"),
        ('"primary":true', '"primary":1', "head"),
    ],
)
def test_a_head_that_is_not_this_segments_is_told(
    tmp_path: Path, old: str, new: str, rule: str
) -> None:
    found = check_folder(made(tmp_path, END, head=HEAD.replace(old, new)))
    assert (found.findings[0].line, found.findings[0].rule) == (1, rule)
    assert not found.conforms


@pytest.mark.parametrize(
    ("meta", "rule"),
    [
        ("{", "run.json"),
        ("[]", "run.json"),
        ({**META, "format": 2}, "format"),
        ({**META, "id": "../x"}, "id"),
        ({**META, "project": "a/b"}, "project"),
        ({"format": 1, "id": "r1"}, "project"),
        ({**META, "created": "now"}, "shape"),
        ({**META, "mode": "on"}, "shape"),
        ({**META, "tags": "a"}, "shape"),
    ],
)
def test_a_run_json_that_cannot_be_right_is_told(tmp_path: Path, meta: Any, rule: str) -> None:
    found = check_folder(made(tmp_path, END, meta=meta))
    assert (found.findings[0].file, found.findings[0].rule) == ("run.json", rule)
    assert not found.conforms


def test_missing_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(mode=0o700)
    rules = [finding.rule for finding in check_folder(tmp_path / "empty").findings]
    assert rules == ["run.json", "journal"]
    found = check_folder(made(tmp_path, END, name="w1.jsonl"))
    assert [finding.rule for finding in found.findings] == ["segment name", "journal"]
    with pytest.raises(NotFound):
        check_folder(tmp_path / "nowhere")


def test_a_segment_without_a_head_is_told(tmp_path: Path) -> None:
    assert check_folder(made(tmp_path, END, head="")).findings[0].rule == "head"


@pytest.mark.parametrize(
    ("line", "head", "rule"),
    [
        (f'{{"t":{T},"k":"cofig","c":{{}}}}', HEAD, "kind"),
        (END.replace('"w":"w1"', '"w":"w2"'), HEAD, "end"),
        (f'{{"t":{T - 60},"s":1,"p":{{}}}}', HEAD, "time"),
        (END, HEAD.replace('"pid":7,', ""), "process"),
        (END, HEAD.replace('"primary":true', '"primary":false'), "primary"),
    ],
)
def test_advice_breaks_no_rule(tmp_path: Path, line: str, head: str, rule: str) -> None:
    """What readers take, and what will be missing nevertheless."""
    assert only(made(tmp_path, line, head=head), is_error=False).rule == rule


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "outrider.cli", "check", *arguments],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_command_tells_people_and_scripts(tmp_path: Path) -> None:
    """Exit codes 0, 1 and 3; text with place and hint, JSON with everything."""
    good = check(str(made(tmp_path / "good", END)))
    assert (good.returncode, good.stdout) == (0, "conforms, 2 records of 1 writers\n")
    wrong = [f'{{"t":{T},"s":{i}.5,"p":{{}}}}' for i in range(9)]
    folder = str(made(tmp_path / "bad", *wrong))
    bad = check(folder)
    assert bad.returncode == 1
    assert "journal/w1-000001.jsonl:2 error step: the step 's' is 0.5" in bad.stdout
    assert 'hint: write "s":17' in bad.stdout
    assert "step 4 times more" in bad.stdout
    assert "9 errors" in bad.stdout
    told = check(folder, "--json")
    assert told.returncode == 1
    found = json.loads(told.stdout)
    assert (found["conforms"], len(found["findings"])) == (False, 9)
    assert found["findings"][8]["line"] == 10
    assert check(str(tmp_path / "nowhere")).returncode == 3
