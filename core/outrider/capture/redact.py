"""The one function through which captured text leaves this machine: secrets become ``[redacted]``.

What is looked for is described in docs/code.md: formats of keys that are known, passwords in URLs,
private keys, values that a name calls a secret, and long random strings in quotes. The number of
lines never changes, so that a patch with redacted lines still applies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from outrider.capture.naming import Suspicion, suspicion
from outrider.capture.randomness import is_harmless, is_random, is_strong

MARK = "[redacted]"


class Redacted(NamedTuple):
    """A text that may leave, and how many secrets were taken out of it."""

    text: str
    found: int


_KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|gl(?:pat|ptt|dt|rt|soat|cbt)-[\w-]{16,}"
    r"|(?:AKIA|ASIA|AGPA|AIDA|AROA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}"
    r"|sk-(?:proj-|ant-|or-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}"
    r"|(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{20,}"
    r"|hf_[A-Za-z0-9]{20,}|api_org_[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}|pplx-[a-zA-Z0-9]{20,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|dckr_(?:pat|oat)_[\w-]{20,}|dop_v1_[a-f0-9]{40,}"
    r"|dapi[a-f0-9]{32}|SG\.[\w-]{16,}\.[\w-]{16,}|key-[a-f0-9]{32}|SK[a-f0-9]{32}"
    r"|hv[sbr]\.[\w-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{30,}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{30,}"
    r"|lin_api_[A-Za-z0-9]{20,}|ntn_[A-Za-z0-9]{20,}|glsa_[A-Za-z0-9_]{20,}|NRAK-[A-Z0-9]{20,}"
    r"|PMAK-[a-f0-9-]{30,}|sntrys_[\w=+/-]{20,}|figd_[\w-]{20,}|outrider_[a-z0-9]+_[\w-]{30,}"
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*|eyJ[A-Za-z0-9+/_-]{60,}={0,2}"
    r"|\d{8,10}:AA[\w-]{30,}"
    r")"
)
"""Keys that say by their form whose they are."""

_SERVICE_PATHS = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows)/|(?:discord|discordapp)\.com/api/webhooks/"
    r"|outlook\.office\.com/webhook/)([\w/@-]{8,})"
)
_USERINFO = re.compile(
    r"(?<![\w+.-])([A-Za-z][A-Za-z0-9+.-]{1,30})://([^\s/@'\"<>`]{1,500})@(?=[\w\[{$%-])"
)
_PARAMETER = re.compile(
    r"([?&;](?:X-Amz-(?:Signature|Credential|Security-Token)|sig|signature|[\w-]{0,40}token|[\w-]{0,40}key"
    r"|[\w-]{0,40}secret|password|pwd|auth|code)=)([^&\s\"'<>#\\]{4,})",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic|token)(\s+)([A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)
_USER_OPTION = re.compile(r"((?<!\S)(?:-u|--user)[ =]\s*[\"']?[\w.@-]+:)([^\s\"'$]{3,})")

_NAME = r"(?P<name>[A-Za-z_][\w.-]{0,99})"
_VALUE = r"[rbfuRBFU]{0,2}(?P<quote>\\?[\"'])(?P<value>(?:(?!(?P=quote)|\n).){1,4000}?)(?P=quote)"
_QUOTED = re.compile(
    rf"{_NAME}\\?[\"']?\]?"
    r"(?:\s{0,20}:\s{0,5}[\w.\[\]| ,]{1,60}?(?=\s{0,5}=))?"
    rf"\s{{0,20}}(?:={{1,3}}>?|:=?|!=)\s{{0,20}}\(?{_VALUE}"
)
_PAIRED = re.compile(
    rf"[\"'](?:--?)?{_NAME}\\?[\"']\s{{0,10}},\s{{0,10}}(?:\w+\s?=\s?[\w.]+,\s{{0,10}}){{0,5}}(?:default\s?=\s?)?"
    rf"{_VALUE}"
)
_BARE = re.compile(
    rf"(?<![\w$]){_NAME}\\?[\"']?(?P<joint>\s{{0,20}}[:=]\s{{0,20}})"
    r"(?P<value>[^\s,;'\"`()\[\]{}<>&#\\|]{1,1000})(?P<next>[(\[{.]?)"
)
_OPTION = re.compile(
    rf"(?<![\w-])--?{_NAME}(?P<joint>[ =]\s{{0,5}})(?P<value>[^\s'\"`,;()<>\[\]{{}}|&]{{3,1000}})"
)
_LITERAL = re.compile(r"(?<=[\"'=\s(:])([A-Za-z0-9+/_-]{24,256}={0,2})(?![\w+/-])")

_PRIVATE = re.compile(
    r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)"
    r"(?P<body>[\s\S]{0,20000}?)(-----END [A-Z0-9 ]{0,40}-----|(?=\n[^\n]*[^\sA-Za-z0-9+/=:,.\"'\\-])|\Z)"
)
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
_ESCAPE = re.compile(r"\\+[nrt]")

_NAMING = (
    "pass", "pwd", "secret", "token", "key", "credential", "auth", "bearer", "cookie", "sig", "dsn",
    "webhook", "pin",
)  # fmt: skip
_OTHER = ("://", "begin ", "-u", "hooks", "basic")
_LONG = re.compile(r"[A-Za-z0-9+/_.-]{16}")


def _is_worth_a_look(text: str) -> bool:
    """Whether anything below can find something; most lines of a program are done with here."""
    low = text.lower()
    return (
        any(word in low for word in _NAMING)
        or any(word in low for word in _OTHER)
        or _LONG.search(text) is not None
    )


def redact(text: str, name: str | None = None, *, is_data: bool = False) -> Redacted:
    """A text without its secrets.

    ``name`` is what the whole text is the value of (an option, a variable), where it has a name.
    ``is_data`` says that the text is a document of settings or a command line rather than a
    program, so that a bare word behind ``password:`` is a password and not a variable.
    """
    if name is not None and text:
        doubt = suspicion(name)
        if (doubt is Suspicion.CERTAIN and not is_harmless(text, name)) or (
            doubt is Suspicion.PERHAPS
            and (is_strong(text) or name.strip("-") == "token")
            and not is_harmless(text, name)
        ):
            return Redacted(MARK, 1)
    if not _is_worth_a_look(text):
        return Redacted(text, 0)
    look = _Look(is_data)
    lines = look.private_keys(text).split("\n")
    for at, line in enumerate(lines):
        if _is_worth_a_look(line):
            lines[at] = look.line(line)
    return Redacted("\n".join(lines), look.count)


class _Look:
    """One text being looked through."""

    def __init__(self, is_data: bool) -> None:
        self.is_data = is_data
        self.count = 0

    def private_keys(self, text: str) -> str:
        if "PRIVATE KEY" not in text:
            return text
        return _PRIVATE.sub(self._private, text)

    def _private(self, found: re.Match[str]) -> str:
        body = found["body"]
        if not re.search(r"[A-Za-z0-9+/=]{24,}", body):
            return found[0]
        self.count += 1
        shown = "\n".join(
            "".join(
                piece if _ESCAPE.fullmatch(piece) else _BASE64_RUN.sub(MARK, piece)
                for piece in re.split(r"(\\+[nrt])", line)
            )
            for line in body.split("\n")
        )
        return found[1] + shown + found[3]

    def line(self, line: str) -> str:
        is_long = _LONG.search(line) is not None
        if is_long:
            line = _KNOWN.sub(self._all, line)
            line = _SERVICE_PATHS.sub(self._second, line)
        if "://" in line:
            line = _USERINFO.sub(self._userinfo, line)
            line = _PARAMETER.sub(self._parameter, line)
        low = line.lower()
        if "-u" in low:
            line = _USER_OPTION.sub(self._second, line)
        if "basic" in low or any(word in low for word in _NAMING):
            line = _BEARER.sub(self._bearer, line)
            line = _overlapping(_QUOTED, self._named, line)
            line = _overlapping(_PAIRED, self._paired, line)
            line = _overlapping(_OPTION, self._option, line)
            line = _overlapping(_BARE, self._bare, line)
        return _LITERAL.sub(self._literal, line) if is_long else line

    def _all(self, found: re.Match[str]) -> str:
        self.count += 1
        return MARK

    def _second(self, found: re.Match[str]) -> str:
        self.count += 1
        return found[1] + MARK

    def _userinfo(self, found: re.Match[str]) -> str:
        user, colon, password = found[2].partition(":")
        if colon and (not password or password.startswith(("$", "{", "<", "%s", "[", "***"))):
            return found[0]
        if not colon and (found[1].lower() not in ("http", "https") or not is_strong(user)):
            return found[0]
        self.count += 1
        return f"{found[1]}://{MARK}@"

    def _parameter(self, found: re.Match[str]) -> str:
        if found[2].startswith(("$", "{", "<", "%", "[")) or (
            len(found[2]) < 8 and found[2].isalpha()
        ):
            return found[0]
        return self._second(found)

    def _bearer(self, found: re.Match[str]) -> str:
        if not (is_strong(found[3]) and re.search(r"\d", found[3])):
            return found[0]
        self.count += 1
        return found[1] + found[2] + MARK

    def _named(self, found: re.Match[str]) -> str | None:
        return self._judge(found, is_literal=True)

    def _paired(self, found: re.Match[str]) -> str | None:
        return self._judge(found, is_literal=True) if is_strong(found["value"]) else None

    def _option(self, found: re.Match[str]) -> str | None:
        value = found["value"]
        if value.startswith("-") or not (self.is_data or is_strong(value)):
            return None
        return self._judge(found, is_literal=True)

    def _bare(self, found: re.Match[str]) -> str | None:
        """A value without quotes: in a program it may be a variable's name, or a type."""
        name, value = found["name"], found["value"]
        rest = found.string[found.end() :].lstrip()
        is_written_apart = found["joint"] != "="
        if found["next"] or (is_written_apart and rest and rest[0] not in "#,;\"'\\"):
            return None
        is_variable = name.isupper() and found["joint"] == "="  # FOO=bar, as in a shell
        if not (self.is_data or is_variable):
            looks_like_code = re.fullmatch(r"[A-Za-z_][\w]*(\.[A-Za-z_]\w*)*", value)
            if looks_like_code and not (re.search(r"\d", value) and is_strong(value)):
                return None
            if not is_strong(value):
                return None
        return self._judge(found, is_literal=False)

    def _judge(self, found: re.Match[str], *, is_literal: bool) -> str | None:
        name, value = found["name"], found["value"]
        doubt = suspicion(name)
        if doubt is Suspicion.NONE or is_harmless(value, name):
            return None
        if doubt is Suspicion.PERHAPS and not (
            is_random(value) if "token" not in name.lower() else is_strong(value)
        ):
            return None
        self.count += 1
        begin, end = found.span("value")
        shift = found.start()
        return found[0][: begin - shift] + MARK + found[0][end - shift :]

    def _literal(self, found: re.Match[str]) -> str:
        if not is_random(found[1], is_strict=True):
            return found[0]
        self.count += 1
        return MARK


def _overlapping(
    pattern: re.Pattern[str], change: Callable[[re.Match[str]], str | None], line: str
) -> str:
    """``sub`` that looks again just behind a name that was no secret's: ``a: b = c`` holds two."""
    at, kept = 0, []
    while (found := pattern.search(line, at)) is not None:
        changed = change(found)
        if changed is None:
            kept.append(line[at : found.end("name")])
            at = found.end("name")
        else:
            kept += [line[at : found.start()], changed]
            at = found.end()
    return "".join([*kept, line[at:]])


def redact_all(value: Any, name: str | None = None) -> Any:
    """Plain data (dicts, lists, texts, numbers) with every text in it redacted."""
    if isinstance(value, str):
        return redact(value, name, is_data=True).text
    if isinstance(value, Mapping):
        return {str(key): redact_all(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_all(item, name) for item in value]
    return value


def redact_arguments(arguments: list[str]) -> list[str]:
    """A command line without its secrets, whether written ``--name value`` or ``name=value``.

    >>> redact_arguments(["train.py", "--lr", "0.1", "--api-key", "abc", "--token=xyz"])
    ['train.py', '--lr', '0.1', '--api-key', '[redacted]', '--token=[redacted]']
    """
    kept: list[str] = []
    option: str | None = None
    for word in arguments:
        name, equals, value = word.partition("=")
        if option is not None and not (
            word.startswith("-") and suspicion(option) < Suspicion.CERTAIN
        ):
            is_next_option = word.startswith("--") or re.fullmatch(r"-[A-Za-z]", word)
            if not is_next_option:
                shown = redact(word, option, is_data=True).text
                if shown == word and option in ("-u", "--user") and ":" in word:
                    shown = word.partition(":")[0] + ":" + MARK
                kept.append(shown)
                option = None
                continue
        option = None
        if equals and re.fullmatch(r"[-+~]{0,2}[A-Za-z_][\w./@-]*", name):
            kept.append(f"{name}={redact(value, name, is_data=True).text}")
        else:
            kept.append(redact(word, is_data=True).text)
            option = word if re.fullmatch(r"--?[A-Za-z][\w.-]*", word) else None
    return kept
