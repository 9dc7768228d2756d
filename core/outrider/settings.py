"""Settings: one frozen object, from argument, environment, folder, user's file, defaults.

The first of these that names a setting wins: an argument of ``init()``; ``OUTRIDER_*`` in the
environment; ``.outrider/settings.toml`` of the training folder (what ``outrider off`` writes); the
user's ``settings.toml``; the default. ``origin()`` tells which one it was.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from outrider.errors import SettingsError, UsageError
from outrider.ids import check_project, check_run_id

DEFAULT_URL = "http://127.0.0.1:7878"
MODES = ("online", "offline", "disabled")
RESUMES = ("allow", "must", "never", "auto")

_MODE_WORDS = {"dryrun": "offline", "dry-run": "offline", "off": "offline", "on": "online"}
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class Settings:
    """Everything that can be set, with its default; frozen. Seconds are floats, sizes are bytes.

    A plain class, since making a frozen dataclass costs every ``init()`` some milliseconds, and a
    named tuple of as many fields one: each annotation is compiled.
    """

    mode: str = "online"
    url: str = DEFAULT_URL
    api_key: str | None = None
    project: str | None = None
    dir: str | None = None
    id: str | None = None
    name: str | None = None
    group: str | None = None
    job_type: str | None = None
    tags: tuple[str, ...] = ()
    notes: str | None = None
    resume: str | None = None
    disable_code: bool = False
    ignore_globs: tuple[str, ...] = ()
    console: bool = True
    sample_seconds: float = 2.0
    average_seconds: float = 30.0
    finish_seconds: float = 5.0
    segment_bytes: int = 64 << 20
    plugins: bool = True
    quiet: bool = False
    origins: Mapping[str, str] = {}

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - self.__annotations__.keys()
        if unknown:
            raise TypeError(f"there is no setting {', '.join(sorted(unknown))}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are frozen: {name}")

    __delattr__ = __setattr__  # type: ignore[assignment]

    def but(self, **values: Any) -> Settings:
        """The same settings with other values for some."""
        return Settings(**{**self.__dict__, **values})

    def __repr__(self) -> str:
        """Without the key, which must not get into a log."""
        shown = (f"{name}={getattr(self, name)!r}" for name in NAMES if name != "api_key")
        return f"Settings({', '.join(shown)})"

    def origin(self, name: str) -> str:
        """Where a setting's value came from, in words."""
        return self.origins.get(name, "default")


NAMES: tuple[str, ...] = tuple(name for name in Settings.__annotations__ if name != "origins")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(
            f"{name} must be a text that is not empty, not {value!r}",
            hint=f"give it as {name}='...', or leave it out",
        )
    return value


def _words(name: str, value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple, set, frozenset)) or not all(
        isinstance(item, str) for item in items
    ):
        raise UsageError(
            f"{name} must be a list of texts, not {value!r}",
            hint=f"{name}=['one', 'two'] or 'one,two'",
        )
    return tuple(dict.fromkeys(item.strip() for item in items if item.strip()))


def _truth(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise UsageError(
        f"{name} must be true or false, not {value!r}", hint="true, yes, on, 1; false, no, off, 0"
    )


def _seconds(low: float, high: float) -> Callable[[str, Any], float]:
    def check(name: str, value: Any) -> float:
        try:
            seconds = float(value)
        except (TypeError, ValueError):
            seconds = -1.0
        if isinstance(value, bool) or not low <= seconds <= high:
            raise UsageError(
                f"{name} must be {low:g} to {high:g} seconds, not {value!r}",
                hint="a number without a unit, such as 2 or 0.5",
            )
        return seconds

    return check


def _bytes(name: str, value: Any) -> int:
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = 0
    if isinstance(value, bool) or count < 4096:
        raise UsageError(
            f"{name} must be a number of bytes, 4096 or more, not {value!r}",
            hint="64 MiB are 67108864",
        )
    return count


def _is_plain_url(text: str) -> bool:
    """Whether a text is ``http://name:port`` and no more, as most are: ``urllib.parse`` costs
    ``init()`` 3 ms, so it is asked about the others only."""
    scheme, _, place = text.partition("://")
    host, colon, port = place.partition(":")
    return (
        scheme in ("http", "https")
        and host.isascii()
        and host.replace("-", "").replace(".", "").isalnum()
        and (not colon or (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536))
    )


def check_url(name: str, value: Any) -> str:
    """Return a server's URL without its trailing slash, or say what is wrong with it."""
    text = _text(name, value).strip().rstrip("/")
    if _is_plain_url(text):
        return text
    from urllib.parse import urlsplit

    hint = "write it as http://host:port or https://host"
    try:
        parts = urlsplit(text)
        port_is_right = parts.port is None or 0 < parts.port < 65536
    except ValueError as error:
        raise UsageError(f"{name} is not a URL: {text!r} ({error})", hint=hint) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise UsageError(f"{name} is not the URL of a server: {text!r}", hint=hint)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            f"{name} must not hold a password, a query or a fragment",
            hint=f"{hint}; `outrider login` keeps a token for it",
        )
    return text


def _mode(name: str, value: Any) -> str:
    word = str(value).strip().lower()
    word = _MODE_WORDS.get(word, word)
    if word not in MODES:
        raise UsageError(
            f"{value!r} is not a mode", hint="online, offline (dryrun means the same) or disabled"
        )
    return word


def _resume(name: str, value: Any) -> str:
    if value is True:
        return "auto"
    if value not in RESUMES:
        raise UsageError(f"resume={value!r} is not known", hint="one of " + ", ".join(RESUMES))
    return str(value)


def _folder(name: str, value: Any) -> str:
    try:
        path = os.fspath(value)
    except TypeError:
        raise UsageError(
            f"{name} must be a path, not {value!r}", hint="the folder below which runs are recorded"
        ) from None
    return os.path.abspath(os.path.expanduser(_text(name, path)))


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "mode": _mode,
    "url": check_url,
    "api_key": _text,
    "project": lambda name, value: check_project(value),
    "dir": _folder,
    "id": lambda name, value: check_run_id(value),
    "name": _text,
    "group": _text,
    "job_type": _text,
    "tags": _words,
    "notes": _text,
    "resume": _resume,
    "disable_code": _truth,
    "ignore_globs": _words,
    "console": _truth,
    "sample_seconds": _seconds(0.1, 3600),
    "average_seconds": _seconds(0.1, 86400),
    "finish_seconds": _seconds(0, 86400),
    "segment_bytes": _bytes,
    "plugins": _truth,
    "quiet": _truth,
}


def user_file() -> str | None:
    """The path of the user's settings file, or None where there is no home folder."""
    if sys.platform == "linux":  # what platformdirs says there, without the 10 ms of its import
        folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        folder = os.path.join(folder, "outrider")
    else:
        from platformdirs import user_config_dir

        folder = user_config_dir("outrider")
    return os.path.join(folder, "settings.toml") if os.path.isabs(folder) else None


def folder_file(folder: str) -> str:
    """The path of a training folder's settings file."""
    return os.path.join(folder, ".outrider", "settings.toml")


def _read_toml(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(
            f"cannot read {path}: {error.strerror}", hint="make it readable, or remove it"
        ) from error
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"cannot read {path}: {error}", hint="mend the line it names, or remove the file"
        ) from error


def _take(
    values: dict[str, Any], origins: dict[str, str], found: Mapping[str, Any], origin: str
) -> None:
    """Fill what is not yet set from one source, each value checked under that source's name."""
    for name, value in found.items():
        if name not in _CHECKS:
            from difflib import get_close_matches

            near = get_close_matches(str(name), NAMES, 1)
            hint = f"did you mean {near[0]!r}?" if near else "settings: " + ", ".join(NAMES)
            if origin == "argument":
                raise UsageError(f"there is no setting {name!r}", hint=hint)
            raise SettingsError(f"{origin}: there is no setting {name!r}", hint=hint)
        if name in values or value is None:
            continue
        try:
            values[name] = _CHECKS[name](name, value)
        except UsageError as error:
            if origin == "argument":
                raise
            raise SettingsError(f"{origin}: {error.message}", hint=error.hint) from None
        origins[name] = origin


def load(
    arguments: Mapping[str, Any] | None = None,
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Settings:
    """Settle every setting.

    Raises ``UsageError`` for a wrong argument and ``SettingsError`` for a wrong variable or file.
    """
    env = os.environ if env is None else env
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    _take(values, origins, arguments or {}, "argument")
    ours = {variable for variable in env if variable.startswith("OUTRIDER_")}
    for name in NAMES:
        variable = "OUTRIDER_" + name.upper()
        if variable in ours and env[variable] != "":
            _take(values, origins, {name: env[variable]}, f"environment {variable}")
    folder = values.get("dir") or cwd or working_folder()
    if folder is not None:
        path = folder_file(folder)
        _take(values, origins, _read_toml(path), path)
    path_of_user = user_file()
    if path_of_user is not None:
        _take(values, origins, _read_toml(path_of_user), path_of_user)
    if "dir" not in values and folder is not None:
        values["dir"] = folder
        origins["dir"] = "working folder"
    return Settings(origins=origins, **values)


def working_folder() -> str | None:
    """The working folder, or None where it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return None


def write_folder_setting(folder: str, name: str, value: str | float | bool | None) -> str:
    """Set one setting in a training folder's file (None removes it); returns the file's path.

    Raises ``SettingsError`` where the folder takes no file.
    """
    from outrider.folder import prepare_root, write_file

    path = folder_file(folder)
    found = _read_toml(path)
    if value is None:
        found.pop(name, None)
    else:
        _CHECKS[name](name, value)
        found[name] = value
    lines = "".join(f"{key} = {_toml(item)}\n" for key, item in found.items())
    try:
        prepare_root(os.path.dirname(path))
        write_file(path, lines.encode())
    except OSError as error:
        raise SettingsError(
            f"cannot write {path}: {error.strerror}",
            hint=f"OUTRIDER_{name.upper()} in the environment says the same without a file",
        ) from error
    return path


def _toml(value: object) -> str:
    """A setting's value as TOML: JSON's texts, numbers and lists are TOML's too."""
    import json

    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
