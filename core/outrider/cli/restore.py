"""``outrider restore RUN``: brings back the code that a run was started from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from outrider.cli.exits import Exit
from outrider.cli.options import RUNS, Json, RunName, Url, command
from outrider.cli.screen import plain, print_json, say
from outrider.errors import NotFound, OutriderError

if TYPE_CHECKING:
    from outrider.api import Run
    from outrider.cli.material import Material
    from outrider.cli.repository import Repository

app = command(RUNS, Exit.NOT_FOUND, Exit.UNREACHABLE, Exit.UNAUTHORIZED, Exit.INCOMPLETE)

_SHOWN = 20


@dataclass(slots=True)
class Restored:
    """What came back, and what did not."""

    run: str
    branch: str | None = None
    commit: str | None = None
    files: list[str] = field(default_factory=list)
    redacted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    command: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the tree is the one that the run saw."""
        return not self.redacted and not self.missing


@app.command()
def restore(
    run: RunName,
    force: Annotated[
        bool, typer.Option("--force", help="Put changes that are in the way into git's stash.")
    ] = False,
    upstream: Annotated[
        bool, typer.Option("--upstream", help="Start from the upstream branch's commit instead.")
    ] = False,
    no_git: Annotated[
        bool, typer.Option("--no-git", help="Only fetch patches, sources and files into a folder.")
    ] = False,
    to: Annotated[
        Optional[str],  # noqa: UP045 - read at run time
        typer.Option(
            "--to", metavar="FOLDER", help="With --no-git: the folder.", show_default="outrider-RUN"
        ),
    ] = None,
    files: Annotated[bool, typer.Option("--files", help="Restore saved files, too.")] = False,
    config: Annotated[
        Optional[str],  # noqa: UP045 - read at run time
        typer.Option("--config", metavar="FILE", help="Write the config there (.json or .yaml)."),
    ] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Check out the commit that a run was started from on a new branch, and apply its changes.

    The run's folder gives back the very tree that the run saw. So does the server, but for lines in
    which a secret was redacted: these are listed.
    """
    from outrider.cli.finding import find_run
    from outrider.cli.material import Material

    found = find_run(run, url=url)
    with tempfile.TemporaryDirectory(prefix="outrider-restore-") as scratch:
        code = found.code
        material = Material(found, code or {}, _folder_of(found), scratch)
        result = Restored(found.path, command=material.command())
        if no_git:
            place = os.path.abspath(to or f"outrider-{found.id}")
            _fetch(material, result, place, force=force)
            files_to: str | None = os.path.join(place, "files")
        else:
            if code is None:
                raise NotFound(
                    f"no code was captured of {found.path}",
                    hint="it was switched off (disable_code); --no-git fetches what the run saved",
                )
            from outrider.cli.repository import Repository

            _restore(material, result, Repository.here(os.getcwd()), force=force, upstream=upstream)
            files_to = os.getcwd() if files else None
        if files_to is not None:
            _save_files(found, result, files_to, force=force)
        if config is not None:
            _write_config(found, config)
            if material.folder is None:
                result.redacted += [f"config.{name}" for name in _redacted_in(found.config)]
        result.redacted += material.redacted
        result.missing += material.missing
    _tell(result, as_json=as_json)
    if not result.is_whole:
        raise typer.Exit(Exit.INCOMPLETE)


def _folder_of(run: Run) -> str | None:
    origin = run.overview.origin
    return origin if os.path.isdir(origin) else None


# --- into a repository --------------------------------------------------------------------------


def _restore(
    material: Material, result: Restored, repository: Repository, *, force: bool, upstream: bool
) -> None:
    from outrider.cli.material import differing, write_files

    code = material.code
    commit: str | None
    if upstream:
        commit, said = _upstream_of(code, material.run.path)
    else:
        commit, said = code.get("commit"), code.get("patch")
    _check_commit(code, commit, repository, upstream=upstream)
    words = f"before outrider restore {material.run.path}"
    changes = repository.changes()
    if changes and not force:
        raise OutriderError(
            f"{len(changes)} files of this repository have changes: {', '.join(changes[:5])}",
            hint="commit or stash them; --force puts them into git's stash",
        )
    patch = material.patch(said)
    index = os.path.join(material.scratch, "index")
    against = repository.against(commit, patch, index)
    if against is not None:
        raise OutriderError(
            f"the patch does not apply to {(commit or 'an empty tree')[:12]}: {against}",
            hint="nothing was changed; --no-git fetches the patch to apply it by hand",
        )
    sources = material.sources(material.patch(code.get("untracked")), "untracked")
    targets = {os.path.join(repository.top, path): place for path, place in sources.items()}
    in_the_way = differing(targets)
    made = repository.made_by(commit, index) if patch is not None else []
    in_the_way += repository.untracked(made)
    if in_the_way and not force:
        raise OutriderError(
            f"{len(in_the_way)} untracked files are in the way: {', '.join(in_the_way[:5])}",
            hint="move them away; --force puts them into git's stash",
        )
    if changes:
        repository.put_away(words)
        result.notes.append("your changes are in git's stash: git stash pop")
    if in_the_way:
        repository.put_away(words + ", untracked files", in_the_way)
        result.notes.append("untracked files in the way are in git's stash")
    result.branch = repository.free_branch(f"outrider/{material.run.id}")
    result.commit = commit
    repository.check_out(result.branch, commit)
    repository.apply(patch, made, [] if upstream else _texts(code.get("staged")))
    write_files(repository.top, targets)
    result.files += sorted(sources)
    for submodule in code.get("submodules") or ():
        _restore_submodule(material, result, repository, submodule)
    result.notes += [f"not captured: {said}" for said in _texts(code.get("left_out"))]
    if code.get("whole") is False:
        result.missing.append("changes that were not captured, see above")


def _check_commit(
    code: dict[str, Any], commit: str | None, repository: Repository, *, upstream: bool
) -> None:
    if commit is None:
        if not code.get("patch") and not code.get("untracked"):
            raise NotFound("the run's code lay in no repository", hint="--no-git fetches its files")
        if not repository.is_unborn():
            raise OutriderError(
                "the run was started in a repository without a commit",
                hint="restore it in an empty one: git init FOLDER && cd FOLDER, then this again",
            )
        return
    if repository.has_commit(commit):
        return
    remote = code.get("remote") or "REMOTE"
    hint = f"git fetch {remote} {commit}"
    base = (code.get("upstream") or {}).get("commit")
    if not upstream and code.get("upstream_patch") and base and repository.has_commit(base):
        hint += f"\nor add --upstream: the same tree from {base[:12]}, which is here"
    raise OutriderError(f"the commit {commit[:12]} is not in this clone", hint=hint)


def _upstream_of(code: dict[str, Any], run: str) -> tuple[str, Any]:
    base = (code.get("upstream") or {}).get("commit")
    if not isinstance(base, str):
        raise NotFound(f"no upstream branch was known when {run} was started")
    if base == code.get("commit"):
        return base, code.get("patch")
    return base, code.get("upstream_patch")


def _restore_submodule(
    material: Material, result: Restored, repository: Repository, said: dict[str, Any]
) -> None:
    """Put a submodule to its commit and apply its changes; what cannot be is said, not raised."""
    from outrider.cli.repository import Repository

    path, commit = str(said.get("path")), said.get("commit")
    if not isinstance(commit, str):
        return
    try:
        outer, inner = _holder(repository, path)
        if inner not in outer.gitlinks():
            raise OutriderError("the commit has no such submodule")
        top = os.path.join(outer.top, inner)
        if not os.path.exists(os.path.join(top, ".git")):
            outer.ask("submodule", "--quiet", "update", "--init", "--", inner)
        module = Repository(top)
        if not module.has_commit(commit):
            raise OutriderError(f"its commit {commit[:12]} is not here")
        if module.changes():
            raise OutriderError("it has changes")
        patch = material.patch(said.get("patch"))
        index = os.path.join(material.scratch, "index-of-submodule")
        against = module.against(commit, patch, index)
        if against is not None:
            raise OutriderError(against)
        module.ask("checkout", "-q", "--detach", commit)
        module.apply(patch, module.made_by(commit, index) if patch else ())
    except OutriderError as error:
        result.missing.append(f"submodule {path}: {error.message}")


def _holder(repository: Repository, path: str) -> tuple[Repository, str]:
    """The work tree that a submodule lies in: the top one, or another submodule's."""
    from outrider.cli.repository import Repository

    outer, rest = repository, path
    while True:
        inside = [link for link in outer.gitlinks() if rest.startswith(link + "/")]
        if not inside:
            return outer, rest
        outer, rest = Repository(os.path.join(outer.top, inside[0])), rest[len(inside[0]) + 1 :]


# --- into a folder ------------------------------------------------------------------------------


def _fetch(material: Material, result: Restored, place: str, *, force: bool) -> None:
    """Patches below ``code/``, the sources that they make as files; one that is lost costs no other."""
    from outrider.cli.material import APART, differing, write_files

    code = material.code
    targets: dict[str, str] = {}
    patches = [code.get("patch"), code.get("upstream_patch"), code.get("untracked")]
    patches += [one.get("patch") for one in code.get("submodules") or ()]
    patches += [one for one in code.get("apart") or () if os.path.basename(one["path"]) in APART]
    for said in patches:
        try:
            patch = material.patch(said)
        except NotFound as error:
            result.missing.append(error.message)
            continue
        if patch is None or said is None:
            continue
        name = os.path.basename(said["path"])
        if name in (*APART, "untracked.patch"):
            for path, source in material.sources(patch, name).items():
                targets[os.path.join(place, path)] = source
        else:
            targets[os.path.join(place, "code", name)] = patch
    _refuse(differing(targets), force=force)
    write_files(place, targets)
    result.files += [os.path.relpath(target, place) for target in targets]
    result.notes.append(f"in {place}")


def _save_files(run: Run, result: Restored, place: str, *, force: bool) -> None:
    """The files that the script saved, under their names."""
    from outrider.reading.files import absence, safe_path

    for file in run.files(role="save"):
        if not file.present:
            result.missing.append(f"saved file {file.path}: {absence(file)}")
            continue
        target = os.path.join(place, safe_path(file.path))
        if os.path.lexists(target) and not force and os.path.getsize(target) != file.size:
            _refuse([target], force=force)
        file.download(place)
        result.files.append(file.path)


def _refuse(paths: list[str], *, force: bool) -> None:
    if paths and not force:
        raise OutriderError(
            f"{len(paths)} files are there already, with other content: {', '.join(paths[:5])}",
            hint="--force overwrites them, --to FOLDER names another folder",
        )


def _write_config(run: Run, path: str) -> None:
    if path.endswith((".yaml", ".yml")):
        import yaml

        with open(path, "w", encoding="utf-8") as file:
            yaml.safe_dump(run.config, file, sort_keys=False, allow_unicode=True)
        return
    import orjson

    from outrider.journal.line import worded

    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    with open(path, "wb") as out:
        out.write(orjson.dumps(worded(run.config), option=option))


def _redacted_in(config: Mapping[str, Any]) -> list[str]:
    from outrider.capture.leaving import SHORTER
    from outrider.capture.redact import MARK

    found = []
    for name, value in config.items():
        if isinstance(value, Mapping):
            found += [f"{name}.{inner}" for inner in _redacted_in(value)]
        elif MARK in str(value) or SHORTER in str(value):
            found.append(name)
    return found


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


# --- what is said -------------------------------------------------------------------------------


def _tell(result: Restored, *, as_json: bool) -> None:
    if as_json:
        print_json({
            "run": result.run, "branch": result.branch, "commit": result.commit, "files": result.files,
            "redacted": result.redacted, "missing": result.missing, "notes": result.notes,
            "command": result.command, "whole": result.is_whole,
        })  # fmt: skip
        return
    if result.branch is not None:
        commit = f" at {result.commit[:12]}" if result.commit else ""
        say(
            f"[green]✓[/] {plain(result.run)} is restored on branch [bold]{plain(result.branch)}[/]{commit}"
        )
    elif result.files:
        say(f"[green]✓[/] {len(result.files)} files of {plain(result.run)}")
    for note in result.notes:
        say(f"  [dim]{plain(note)}[/]")
    for title, items in (
        ("these lines came back as [redacted]", result.redacted),
        ("these did not come back", result.missing),
    ):
        if items:
            say(f"[yellow]{plain(title)}:[/]", stderr=True)
            for item in items[:_SHOWN]:
                say(f"  {plain(item)}", stderr=True)
            if len(items) > _SHOWN:
                say(f"  … and {len(items) - _SHOWN} more", stderr=True)
    if result.command:
        say(f"\nit ran: [bold]{plain(result.command)}[/]")
