"""Who is measured: each tracker's packages, how it is used, and what its settings keep quiet.

A setting is here because the tracker's own documentation names it for speed, for work without an account, or
against calls home. Nothing is set that makes a tracker slower or lose more than it does by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Subject:
    """A tracker: its name, how it is used, what is installed for it, what its environment sets.

    `server` is what `servers.py` starts for it, `down` what `init(url)` gets where no server is there, `page`
    whose page `pages.py` opens. None means: it has nothing of the kind that starts without an account.
    """

    name: str
    how: str
    also: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    server: str | None = None
    down: str | None = None
    page: str | None = None

    @property
    def environment(self) -> str:
        """The environment's name and its first package: one for all ways in which a tracker is used."""
        return self.name.partition(" ")[0]

    @property
    def packages(self) -> tuple[str, ...]:
        """What is installed."""
        return (self.environment, *self.also)

    @property
    def adapter(self) -> str:
        """Which `inside/for_<adapter>.py` speaks to it."""
        return self.name.lower().replace(" ", "_").replace("-", "_")


CLOSED = "http://127.0.0.1:9"
"""An address at which nothing listens."""
OURS = "outrider"
QUIET = {"DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "CUDA_VISIBLE_DEVICES": ""}
"""Against calls home, for those who listen to it; no colours in what is printed."""

MLFLOW = {"MLFLOW_DISABLE_TELEMETRY": "true"}
SUBJECTS = (
    Subject(
        OURS,
        '`mode="offline"`, `core.log(values, step=step)`; its own server where one is meant',
        server="outrider",
        down=CLOSED,
        page="Outrider",
    ),
    Subject(
        "wandb",
        '`mode="offline"`, `run.log(values, step=step)`',
        env={"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"},
        down=CLOSED,
    ),
    Subject(
        "mlflow",
        "an SQLite file as tracking store, its default; `log_metrics`, synchronous",
        env=MLFLOW,
        server="mlflow",
        down=CLOSED,
        page="MLflow",
    ),
    Subject(
        "mlflow async",
        "the same with `log_metrics(…, synchronous=False)`",
        env=MLFLOW,
    ),
    Subject(
        "trackio",
        "its local store, `trackio.log(values, step=step)`",
        env={"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"},
        server="trackio",
        down=f"{CLOSED}/?write_token=made-up",
    ),
    Subject(
        "tensorboardX",
        "`SummaryWriter` as it comes, `add_scalar` for each value; read by TensorBoard",
        also=("tensorboard",),
        page="TensorBoard",
    ),
    Subject(
        "aim",
        "a local repository, `run.track(values, step=step)`",
        down="aim://127.0.0.1:9",
    ),
    Subject(
        "swanlab",
        '`mode="offline"`, `swanlab.log(values, step=step)`',
        down=CLOSED,
    ),
    Subject(
        "dvclive",
        "`Live(save_dvc_exp=False, report=None, dvcyaml=None)`, `log_metric` for each value, `next_step`",
        env={"DVC_NO_ANALYTICS": "1"},
    ),
    Subject(
        "clearml",
        "`Task.set_offline(True)`, `report_scalar` for each value",
        env={"CLEARML_LOG_LEVEL": "ERROR"},
        down=CLOSED,
    ),
    Subject(
        "neptune-scale",
        '`mode="offline"`, `log_metrics(values, step=step)`',
        down=CLOSED,
    ),
)
BY_NAME = {subject.name: subject for subject in SUBJECTS}
