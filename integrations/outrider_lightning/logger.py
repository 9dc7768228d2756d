"""``OutriderLogger``: the ``Logger`` of both Lightning namespaces, writing to one Outrider run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from outrider.adapter import About, Adapter, Ends
from outrider.errors import NotFound, OutriderError, UsageError
from outrider.notice import say_once, swallow
from outrider_lightning.checkpoints import Keeper, fetch
from outrider_lightning.identity import next_run_id, rank
from outrider_lightning.media import LogsMedia
from outrider_lightning.namespaces import MODULES, check_installed, register
from outrider_lightning.nothing import nothing

GLOBAL_STEP = "trainer/global_step"
LIGHTNING = About(
    "lightning", "optimizer batches", MODULES, ({"name": GLOBAL_STEP, "hidden": True},)
)
_FAILURES = ("failed", "aborted", "exception", "interrupted")


class OutriderLogger(LogsMedia, Ends):
    """Logs what Lightning logs to an Outrider run.

    Building one does nothing but settle which run it stands for: copies of it, pickled ones in
    spawned processes and those that other ranks build stand for the same run. The run is opened
    when first needed, on rank zero; other ranks write nothing unless ``all_ranks`` tells them to.

    Args:
        name: the run's name for people (default: two words and a number).
        project: the project, which is also ``logger.name`` (default: the settings').
        save_dir: where the run's folder is made, and where Lightning puts what it saves, in a
            folder of its own for each run (default: ``lightning_logs``).
        version: the run's id, the same as ``id``; an existing run is continued.
        id: the run's id (default: a new one).
        prefix: put before each metric's name, with a ``-`` between.
        offline: record only; ``outrider sync`` sends it later.
        log_model: keep the checkpoints that are left at the end (True), or each as it is saved
            ("all"), as files of the run.
        config: configuration to record beside the hyperparameters.
        tags: words to find the run by.
        group: the name of a group of runs.
        experiment: a run that is open already, to be logged to.
        all_ranks: other ranks log too, their metrics named ``rank1/…``.
        init_arguments: any other argument of ``outrider.init()``.

    Raises ``UsageError`` or ``SettingsError`` for what cannot be right, and an error that is also
    an ``ImportError`` where Lightning is missing or too old. Once built, nothing raises but
    ``log_image`` and its kin for arguments that cannot be right, as Lightning's other loggers do.
    """

    LOGGER_JOIN_CHAR = "-"

    def __init__(
        self,
        name: str | None = None,
        project: str | None = None,
        save_dir: str | os.PathLike[str] | None = None,
        version: str | None = None,
        id: str | None = None,  # noqa: A002 - the peers' name for it
        prefix: str = "",
        offline: bool = False,
        log_model: bool | str = False,
        config: Any = None,
        tags: Sequence[str] | None = None,
        group: str | None = None,
        experiment: Any = None,
        all_ranks: bool = False,
        **init_arguments: Any,
    ) -> None:
        check_installed()
        if version is not None and id is not None and version != id:
            raise UsageError(
                f"version={version!r} and id={id!r} name two runs", hint="both mean the run's id"
            )
        self._prefix = f"{prefix}{self.LOGGER_JOIN_CHAR}" if prefix else ""
        self._root = os.fspath(save_dir) if save_dir is not None else "lightning_logs"
        self._all_ranks = all_ranks
        self._keeper = Keeper(log_model)
        arguments: dict[str, Any] = {
            "name": name,
            "project": project,
            "id": version if version is not None else id,
            "config": config,
            "tags": list(tags) if tags is not None and not isinstance(tags, str) else tags,
            "group": group,
            **init_arguments,
        }
        if offline:
            arguments["mode"] = "offline"
        if save_dir is not None:
            arguments.setdefault("dir", self._root)
        new_id = next_run_id()
        self._adapter = Adapter(LIGHTNING, arguments, run=experiment, fixed=True, new_id=new_id)
        register(OutriderLogger)

    # what the run is called

    @property
    def name(self) -> str:
        """The project's name. Opens nothing."""
        return self._identity[0]

    @property
    def version(self) -> str:
        """The run's id, fit for a path. Opens nothing."""
        return self._identity[1]

    @property
    def root_dir(self) -> str:
        """The folder that holds one folder for each run."""
        return self._root

    @property
    def save_dir(self) -> str:
        """This run's own folder for what Lightning saves (checkpoints, LightningCLI's config).

        It differs between runs because it is what ``Trainer.log_dir`` says for every logger but
        Lightning's own, and LightningCLI refuses a folder that has been used.
        """
        register(OutriderLogger)
        return os.path.join(self._root, self.version)

    @property
    def log_dir(self) -> str:
        """The same as ``save_dir``."""
        return self.save_dir

    @property
    def group_separator(self) -> str:
        """What separates the parts of a metric's name."""
        return "/"

    @property
    def _identity(self) -> tuple[str, str]:
        identity = self._adapter.identity
        assert identity is not None
        return identity

    # what Lightning calls

    @property
    def experiment(self) -> Any:
        """The run, opened at the first use; on ranks that write nothing, a dummy."""
        register(OutriderLogger)
        return self._adapter.open() if self._writes_here() else nothing()

    def _writes_here(self) -> bool:
        return self._all_ranks or rank() == 0

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log one row: names verbatim, values exact, steps as they come (they may repeat)."""
        here = rank()
        if here and not self._all_ranks:
            return
        try:
            row: dict[str, Any] = {**metrics}
            if here or self._prefix:
                prefix = f"rank{here}/{self._prefix}" if here else self._prefix
                row = {f"{prefix}{key}": row[key] for key in row}
            if step is not None:
                row[GLOBAL_STEP] = step
            self._adapter.log(row, step)
        except Exception as error:
            swallow("log_metrics()", error)

    def log_hyperparams(self, params: Any = None, metrics: Any = None, **more: Any) -> None:
        """Record hyperparameters as configuration, whatever they are made of.

        ``metrics`` are logged at step 0, as TensorBoardLogger does. What is recorded already
        (Lightning sends the same again for fit, validate, test and predict) costs nothing.
        """
        if not self._writes_here():
            return
        if isinstance(params, (str, os.PathLike)):
            say_once("hyperparams", f"log_hyperparams() takes a mapping, not {params!r:.60}")
        elif params is not None:
            self._adapter.configure(params)
        if more:
            self._adapter.configure(more)
        if isinstance(metrics, Mapping) and metrics:
            self.log_metrics(metrics, 0)

    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Do nothing: the graph of a model is not recorded unless it is asked for."""

    def save(self) -> None:
        """Do nothing: everything is written when it is logged."""

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Hear of a new checkpoint, and keep what ``log_model`` says. Keeps no callback alive."""
        if not self._keeper.mode or not self._writes_here():
            return
        try:
            self._keeper.report(checkpoint_callback, self._adapter.open())
        except Exception as error:
            swallow("after_save_checkpoint()", error)

    def download_checkpoint(
        self, which: str = "best", to: str | os.PathLike[str] | None = None
    ) -> str:
        """Fetch a checkpoint that ``log_model`` kept; returns the path of its file or folder.

        ``which`` is an alias (``best``, ``latest``, ``epoch=3``), a name as it is kept
        (``checkpoints/last.ckpt``) or the file's own name. It is written below ``to`` (default:
        ``downloads`` in ``save_dir``), from this machine's copy or from the server, and its hash is
        compared. A logger of an older run (``OutriderLogger(project=…, id=…)``) fetches that run's,
        and opens nothing. Raises ``NotFound``, or another ``OutriderError`` where the server cannot
        be asked: whoever asks for a file needs one.
        """
        target = os.fspath(to) if to is not None else os.path.join(self.save_dir, "downloads")
        missed: OutriderError | None = None
        try:
            for run in self._adapter.recorded():
                try:
                    return fetch(run, which, target)
                except NotFound as error:
                    missed = missed or error
        except OutriderError as error:
            missed = missed or error
        raise missed or NotFound(
            f"run {self.name}/{self.version} has no folder here, and no server is asked offline"
        )

    def finalize(self, status: str) -> None:
        """Hear how one entry point (fit, validate, test, predict) ended.

        The run goes on after ``success``, because ``fit`` and then ``test`` share it; it ends with
        the process, with ``finish()``, or when this logger is collected as garbage. A failure ends
        it as failed, with the exception, at once; what is logged afterwards begins a new attempt.
        Nothing happens where nothing was opened, by this process or by one that it launched.
        """
        if not self._writes_here():
            return
        try:
            run = self._adapter.run
            if run is not None and self._keeper.pending:
                self._keeper.keep(run)
            if status in _FAILURES:
                if run is None and self._adapter.exists():
                    self._adapter.open()  # a spawned rank died, and only this process was told
                self._adapter.fail(sys.exc_info()[1])
            elif status == "success":
                self._adapter.settle(0)
        except Exception as error:
            swallow("finalize()", error)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        register(OutriderLogger)

    def __repr__(self) -> str:
        return f"<OutriderLogger of {self.name}/{self.version}>"


register(OutriderLogger)
