"""Tells random strings from words, paths, numbers and placeholders."""

from __future__ import annotations

import re
from itertools import pairwise

_HARMLESS = frozenset(
    "true false none null nil yes no on off auto default unset undefined todo changeme required optional "
    "str string bytes int float bool any object text env secretstr prompt stdin hidden "
    "inherit redacted".split()
)
_PLACEHOLDER = re.compile(
    r"\$[A-Za-z_]\w*|\$?[{(<\[].*[>}\])]|%(?:\(\w+\))?[sdr]|!(?:ENV|env|vault|secret|Ref|Sub)\b.*|x{3,}|\*+|\.{2,}|_+|-+|"
    r"your[-_ ].*|my[-_ ]?(?:token|key|secret|password)|[A-Za-z ]*(?:%s|\{\w*\})[A-Za-z ]*|"
    r"(?:os|self|args|config|cfg|settings|env|params|opts|options|secrets|st)\..*|"
    r"(?:insert|put|enter|add|fill|replace|example|dummy|fake|sample|placeholder)\b.*",
    re.IGNORECASE,
)
_PATH = re.compile(
    r"(?:~|\.{1,2})?/[\w.@ /-]*|[\w./ -]+\.(?:json|ya?ml|pem|key|txt|toml|ini|cfg|env|p12|crt|py|sh|md)"
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S*", re.IGNORECASE)
_WORDS = re.compile(r"(?:[A-Za-z]+\d{0,4}|\d{1,4})(?:[-_/.:](?:[A-Za-z]+\d{0,4}|\d{1,4}))+")
_ENV_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")


def is_harmless(value: str, name: str) -> bool:
    """Whether a value cannot be a secret whatever it is called: nothing, a switch, a placeholder, a
    path, the name of a variable, its own name again."""
    text = value.strip()
    low = text.lower()
    if not text or low in _HARMLESS or _is_placeholder(text):
        return True
    if _URL.match(text) or _ENV_NAME.fullmatch(text):
        return True
    if _PATH.fullmatch(text) and not any(is_random(part) for part in text.split("/")):
        return True
    is_password = "pass" in name.lower() or "pwd" in name.lower()
    if re.fullmatch(r"[-+]?\d{1,9}(\.\d+)?(e[-+]?\d+)?", low) and not is_password:
        return True
    letters = re.sub(r"[^a-z]", "", low)
    own = re.sub(r"[^a-z]", "", name.lower())
    is_sentence = text.count(" ") >= 2 and not re.search(r"\d", text)
    return is_sentence or (
        bool(letters)
        and not re.search(r"\d{3}", low)
        and (letters in own or own in letters or low in ("password", "token", "secret", "api key"))
    )


def _is_placeholder(text: str) -> bool:
    """Whether something is to be put in its place; what is in brackets may be a secret all the same."""
    return _PLACEHOLDER.fullmatch(text) is not None and not is_random(text.strip("$%!{}()<>[]"))


def is_strong(value: str) -> bool:
    """Whether a value has more kinds of signs than a word has: a password or a key may look so."""
    text = value.strip()
    if len(text) < 6 or " " in text or _is_placeholder(text):
        return False
    kinds = sum(
        re.search(kind, text) is not None for kind in (r"[a-z]", r"[A-Z]", r"\d", r"[^\w.:/-]")
    )
    if kinds < 2:
        return len(text) >= 20 and re.fullmatch(r"[a-z]+|[A-Z]+", text) is not None
    if kinds == 2 and not re.search(r"\d", text) and re.fullmatch(r"[A-Za-z_.-]+", text):
        return len(text) >= 12 and text.isalpha() and _share(text) >= 0.28
    return not re.fullmatch(r"[a-z]+(?:[-_.][a-z0-9]+)+|v?\d+(?:\.\d+)+\S*|[\d.,:/-]+", text)


def is_random(value: str, *, is_strict: bool = False) -> bool:
    """Whether signs of several kinds alternate as they do in no word, path, hash or version.

    ``is_strict`` is for strings that nothing names: it asks for all three kinds of signs and takes no
    hexadecimal number, which may be anybody's checksum.
    """
    text = value.strip().rstrip("=")
    if len(text) < 16 or " " in text:
        return False
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", text):
        return not is_strict and len(text) in (32, 40, 48, 64, 96, 128) and not text.isdigit()
    if re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        return not is_strict
    if is_strict:
        longest = max(re.split(r"[-_/]", text), key=len)
        if len(longest) < 16 and not (len(text) >= 32 and _share(text) >= 0.45):
            return False
        counts = [len(re.findall(kind, text)) for kind in ("[a-z]", "[A-Z]", r"\d")]
        return min(counts) >= 2 and _share(text) >= 0.36 and len(set(text)) >= 14
    if not (re.search(r"\d", text) and re.search(r"[A-Za-z]", text)) or _WORDS.fullmatch(text):
        return False
    return _share(text) >= 0.28 and len(set(text)) >= 9


def _share(text: str) -> float:
    """How often the kind of sign changes from one to the next, of all that could."""
    kinds = [_kind(sign) for sign in text]
    pairs = list(pairwise(kinds))
    # A capital that begins a word is no change of kind: CamelCase is written by people.
    changes = sum(
        one != two
        and not (one == "upper" and two == "lower" and (at == 0 or kinds[at - 1] != "upper"))
        for at, (one, two) in enumerate(pairs)
    )
    return changes / max(1, len(pairs))


def _kind(sign: str) -> str:
    if sign.isdigit():
        return "digit"
    if sign.isalpha():
        return "upper" if sign.isupper() else "lower"
    return "other"
