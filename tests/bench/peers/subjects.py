"""Who is measured: each tracker's packages, how it is used, and what its settings keep quiet.

A setting is here because the tracker's own documentation names it for speed, for work without an account, or
against calls home. Nothing is set that makes a tracker slower or lose more than it does by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Subject:
    """A tracker: `adapter` names `inside/for_<adapter>.py`, `how` says how it is used.

    `helper` says what is killed where a helper is; `server` is what `servers.py` starts for it, and
    `down` what `init(url)` gets where no server is there. None means: it has nothing of the kind that
    starts without an account.
    """

    name: str
    packages: tuple[str, ...]
    how: str
    adapter: str
    env: dict[str, str] = field(default_factory=dict)
    server: str | None = None
    down: str | None = None

    @property
    def environment(self) -> str:
        """The name of the environment, shared by those with the same packages."""
        return self.packages[0].partition("=")[0]


CLOSED = "http://127.0.0.1:9"
"""An address at which nothing listens."""
OURS = "outrider"
QUIET = {"DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "CUDA_VISIBLE_DEVICES": ""}
"""Against calls home, for those who listen to it; no colours in what is printed."""

MLFLOW = {"MLFLOW_DISABLE_TELEMETRY": "true"}
SUBJECTS = (
    Subject(
        name=OURS,
        packages=(OURS,),
        how='`mode="offline"`, `core.log(values, step=step)`; its own server where one is meant',
        adapter="outrider",
        server="outrider",
        down=CLOSED,
    ),
    Subject(
        name="wandb",
        packages=("wandb",),
        how='`mode="offline"`, `run.log(values, step=step)`',
        adapter="wandb",
        env={"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"},
        down=CLOSED,
    ),
    Subject(
        name="mlflow",
        packages=("mlflow",),
        how="an SQLite file as tracking store, its default; `log_metrics`, synchronous",
        adapter="mlflow",
        env=MLFLOW,
        server="mlflow",
        down=CLOSED,
    ),
    Subject(
        name="mlflow async",
        packages=("mlflow",),
        how="the same with `log_metrics(…, synchronous=False)`",
        adapter="mlflow_async",
        env=MLFLOW,
    ),
    Subject(
        name="trackio",
        packages=("trackio",),
        how="its local store, `trackio.log(values, step=step)`",
        adapter="trackio",
        env={"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"},
        server="trackio",
        down=f"{CLOSED}/?write_token=made-up",
    ),
    Subject(
        name="tensorboardX",
        packages=("tensorboardX", "tensorboard"),
        how="`SummaryWriter` as it comes, `add_scalar` for each value; read by TensorBoard",
        adapter="tensorboardx",
    ),
    Subject(
        name="aim",
        packages=("aim",),
        how="a local repository, `run.track(values, step=step)`",
        adapter="aim",
        down="aim://127.0.0.1:9",
    ),
    Subject(
        name="swanlab",
        packages=("swanlab",),
        how='`mode="offline"`, `swanlab.log(values, step=step)`',
        adapter="swanlab",
        down=CLOSED,
    ),
    Subject(
        name="dvclive",
        packages=("dvclive",),
        how="`Live(save_dvc_exp=False, report=None, dvcyaml=None)`, `log_metric` for each value, `next_step`",
        adapter="dvclive",
        env={"DVC_NO_ANALYTICS": "1"},
    ),
    Subject(
        name="clearml",
        packages=("clearml",),
        how="`Task.set_offline(True)`, `report_scalar` for each value",
        adapter="clearml",
        env={"CLEARML_LOG_LEVEL": "ERROR"},
        down=CLOSED,
    ),
    Subject(
        name="neptune-scale",
        packages=("neptune-scale",),
        how='`mode="offline"`, `log_metrics(values, step=step)`',
        adapter="neptune",
        down=CLOSED,
    ),
)
BY_NAME = {subject.name: subject for subject in SUBJECTS}
