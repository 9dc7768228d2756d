"""Tells from a name whether what it names is a secret: an option, a variable, a key of a document."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


class Suspicion(IntEnum):
    """How surely a name says that its value is a secret."""

    NONE = 0
    PERHAPS = 1
    CERTAIN = 2


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_SECRET_WORDS = frozenset(
    "password passwd passphrase passcode pwd secret secrets credential credentials apikey apitoken "
    "accesskey accesstoken secretkey privatekey authtoken clientsecret authkey".split()
)
_KEYS = frozenset(
    "api access secret private auth account signing encryption session master service client license "
    "storage subscription shared ssh deploy webhook app refresh bearer admin hmac fernet".split()
)
"""What makes a secret of a key: ``api_key`` is one, ``sort_key`` is none."""

_TOKENS = frozenset(
    "api auth access hf hub huggingface face github gh gitlab gl git bot bearer refresh session jwt "
    "slack npm pypi personal security aws azure gcp google login private deploy comet neptune mlflow "
    "wandb clearml vault csrf xsrf oauth telegram discord sas kaggle replicate openai anthropic cohere "
    "service registry docker pat sso upload publish outrider".split()
)
_NO_TOKENS = frozenset(
    "pad eos bos unk sep cls mask special image audio video start end begin stop next first last new "
    "max min num n per prev previous current cur input output text think tool separator sentinel blank "
    "space word target decoder forced prompt class patch time answer question control newline mark no "
    "each every nth any".split()
)
_PASSES = frozenset(
    "db database user smtp mysql postgres pg redis ftp sftp mail email root admin proxy ssh login http "
    "rabbitmq mongo ldap imap keystore truststore".split()
)
_PERHAPS = frozenset(
    "token key auth authorization bearer cookie signature sig dsn webhook pin".split()
)
_ENDINGS = frozenset(
    "hash value val str string text b64 base64 enc encrypted hex plain raw".split()
)


@lru_cache(maxsize=4096)
def suspicion(name: str) -> Suspicion:
    """How surely a name's value is a secret.

    >>> suspicion("--hf-token"), suspicion("max_tokens"), suspicion("sortKey")
    (<Suspicion.CERTAIN: 2>, <Suspicion.NONE: 0>, <Suspicion.PERHAPS: 1>)
    """
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and words[-1] in _ENDINGS:
        words.pop()
    if not words:
        return Suspicion.NONE
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "id" and before == "key" and "access" in words:
        return Suspicion.CERTAIN
    if last in _SECRET_WORDS or last == "authorization":
        return Suspicion.CERTAIN
    if last == "pass" and (not before or before in _PASSES):
        return Suspicion.CERTAIN
    if (last == "key" and before in _KEYS) or (last == "token" and before in _TOKENS):
        return Suspicion.CERTAIN
    if last == "token" and before in _NO_TOKENS:
        return Suspicion.NONE
    return Suspicion.PERHAPS if last in _PERHAPS else Suspicion.NONE
