"""Captures what a run ran in: interpreter, packages, command, container, job, CUDA, variables."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from typing import Any

from outrider.capture.packages import installed
from outrider.capture.redact import redact, redact_arguments

_JOBS: dict[str, tuple[str, ...]] = {
    "slurm": (
        "SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_CLUSTER_NAME",
        "SLURM_JOB_PARTITION", "SLURM_JOB_ACCOUNT", "SLURM_JOB_NODELIST", "SLURM_JOB_NUM_NODES",
        "SLURM_NTASKS", "SLURM_PROCID", "SLURM_CPUS_PER_TASK", "SLURM_GPUS_ON_NODE", "SLURM_RESTART_COUNT",
    ),
    "kubernetes": (
        "POD_NAME", "POD_NAMESPACE", "POD_UID", "NODE_NAME", "JOB_COMPLETION_INDEX", "JOB_NAME",
    ),
    "pbs": ("PBS_JOBID", "PBS_JOBNAME", "PBS_QUEUE", "PBS_ARRAY_INDEX"),
    "lsf": ("LSB_JOBID", "LSB_JOBNAME", "LSB_QUEUE", "LSB_JOBINDEX"),
    "sge": ("JOB_ID", "SGE_TASK_ID", "SGE_CLUSTER_NAME"),
    "ray": ("RAY_JOB_ID",),
    "sagemaker": ("TRAINING_JOB_NAME", "SM_CURRENT_INSTANCE_TYPE"),
    "batch": ("AWS_BATCH_JOB_ID", "AWS_BATCH_JQ_NAME", "CLOUD_ML_JOB_ID"),
    "ci": ("GITHUB_RUN_ID", "CI_JOB_ID", "CI_PIPELINE_ID", "BUILDKITE_BUILD_ID"),
}  # fmt: skip
"""The variables by which a scheduler names a job."""

_SIGNS = {"sge": "SGE_TASK_ID", "kubernetes": "KUBERNETES_SERVICE_HOST"}

VARIABLES = re.compile(
    r"(?:CUDA|CUDNN|CUBLAS|NCCL|NVIDIA|ROCR|HIP|HSA|RCCL|OMP|MKL|OPENBLAS|KMP|GLOO|PYTORCH|TORCH|TORCHINDUCTOR"
    r"|XLA|JAX|KERAS|ACCELERATE|DEEPSPEED|LIGHTNING|TOKENIZERS|HYDRA)_\w+"
    r"|TF_(?:CPP|XLA|FORCE|ENABLE|GPU|CUDNN|DETERMINISTIC|NUM|USE|DISABLE|CONFIG|TRT|ONEDNN)\w*"
    r"|PYTHONHASHSEED|PYTHONPATH|LD_LIBRARY_PATH|LD_PRELOAD|VIRTUAL_ENV|CONDA_DEFAULT_ENV"
    r"|RANK|LOCAL_RANK|NODE_RANK|GROUP_RANK|WORLD_SIZE|LOCAL_WORLD_SIZE|MASTER_ADDR|MASTER_PORT"
)
"""Variables that change what a training does; no other variable is ever recorded."""

_IMAGES = (
    "CONTAINER_IMAGE", "DOCKER_IMAGE", "IMAGE_NAME", "SINGULARITY_CONTAINER", "APPTAINER_CONTAINER",
    "SLURM_CONTAINER_IMAGE", "NVIDIA_BUILD_ID",
)  # fmt: skip
_CONTAINER = re.compile(r"(?:docker|containers|crio|cri-containerd|libpod)[-/:]([0-9a-f]{64})")
_LONGEST = 2000


def capture_environment(
    meta: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    *,
    with_commits: bool = True,
) -> dict[str, Any]:
    """What the ``environment`` record says; ``environ`` is the trainer's."""
    variables = dict(os.environ if environ is None else environ)
    found: dict[str, Any] = {
        "command": command_of(meta),
        "python": {
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "executable": redact(sys.executable or "").text,
        },
        "os": {
            "platform": platform.platform(),
            "kernel": platform.release(),
            "libc": " ".join(platform.libc_ver()).strip() or None,
        },
        "machine": {"host": platform.node(), "arch": platform.machine(), "cpus": os.cpu_count()},
        "container": container(variables),
        "job": jobs(variables),
        "cuda": cuda(variables),
        "variables": told_variables(variables),
        **installed(with_commits=with_commits),
    }
    return {name: value for name, value in found.items() if value not in (None, {}, [])}


def command_of(meta: Mapping[str, Any]) -> list[str]:
    """The command line as the kernel has it, else the interpreter and what the script was given;
    without secrets."""
    words: list[str] = []
    try:
        with open(f"/proc/{int(meta['pid'])}/cmdline", "rb") as file:
            told = file.read().rstrip(b"\0").split(b"\0")
        words = [word.decode("utf-8", "replace") for word in told]
    except (OSError, KeyError, TypeError, ValueError):
        pass
    argv = [str(word) for word in meta.get("argv") or ()]
    # Another process may have the number by now, and a program may rename itself.
    if not argv or words[-len(argv) + 1 :] != argv[1:] or len(words) < len(argv):
        is_python = (meta.get("adapter") or {}).get("framework") != "command"
        words = ["python", *argv] if is_python and argv and argv[0] else argv
    return redact_arguments(words)


def jobs(variables: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The job that a scheduler runs this in, by scheduler."""
    found: dict[str, dict[str, str]] = {}
    for scheduler, names in _JOBS.items():
        if scheduler in _SIGNS and _SIGNS[scheduler] not in variables:
            continue
        told = {name: _shown(name, variables[name]) for name in names if variables.get(name)}
        if scheduler == "kubernetes":
            told |= _kubernetes(variables)
        if told:
            found[scheduler] = told
    return found


def _kubernetes(variables: Mapping[str, str]) -> dict[str, str]:
    told = {"POD_NAME": variables["HOSTNAME"]} if "HOSTNAME" in variables else {}
    space = _read("/var/run/secrets/kubernetes.io/serviceaccount/namespace").strip()
    return told | ({"POD_NAMESPACE": space} if space else {})


def container(variables: Mapping[str, str], root: str = "") -> dict[str, str]:
    """The container and its image, as far as the inside of it knows."""
    found: dict[str, str] = {}
    for name in _IMAGES:
        if variables.get(name):
            found.setdefault("image", _shown(name, variables[name]))
    podman = _read(f"{root}/run/.containerenv")
    for key in ("image", "imageid", "name"):
        told = re.search(rf'^{key}="(.*)"$', podman, re.MULTILINE)
        if told is not None and told[1]:
            found[key] = redact(told[1]).text
    inside = _CONTAINER.search(
        _read(f"{root}/proc/self/cgroup") + _read(f"{root}/proc/self/mountinfo")
    )
    if inside is not None:
        found["id"] = inside[1]
    for path, kind in ((".dockerenv", "docker"), ("run/.containerenv", "podman")):
        if os.path.exists(f"{root}/{path}"):
            found["runtime"] = kind
    return found


def cuda(variables: Mapping[str, str], root: str = "") -> dict[str, str]:
    """The driver's and the toolkit's versions, without starting anything of CUDA."""
    found: dict[str, str] = {}
    driver = re.search(
        r"Kernel Module.*?\s(\d+\.\d+(?:\.\d+)?)\s", _read(f"{root}/proc/driver/nvidia/version")
    )
    if driver is not None:
        found["driver"] = driver[1]
    home = variables.get("CUDA_HOME") or variables.get("CUDA_PATH") or f"{root}/usr/local/cuda"
    toolkit = re.search(
        r'"cuda"\s*:\s*\{[^}]*"version"\s*:\s*"([\d.]+)"', _read(f"{home}/version.json")
    )
    if toolkit is not None:
        found["toolkit"] = toolkit[1]
    if variables.get("CUDA_VERSION"):
        found["image"] = _shown("CUDA_VERSION", variables["CUDA_VERSION"])
    return found


def told_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that change what a training does, without secrets."""
    return {
        name: _shown(name, value)
        for name, value in sorted(variables.items())
        if VARIABLES.fullmatch(name)
    }


def _shown(name: str, value: str) -> str:
    return redact(value.encode("utf-8", "replace").decode()[:_LONGEST], name, is_data=True).text


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""
