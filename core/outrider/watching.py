"""``watch()``: how a torch model's gradients and parameters are distributed while it trains.

Nothing is attached to the model: one hook, behind every step of every torch optimizer, looks whether
it is a watched model's turn. Then histograms are counted on the model's own device, copied without
waiting for it, and written at a later step, when the copy has arrived. Nothing is changed and no
random number is drawn, so the training's result stays the same to the last bit.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from outrider.notice import say_once, swallow

if TYPE_CHECKING:
    from outrider.training import Run

BINS = 64
SAMPLE = 1 << 20
"""Of a longer tensor so many values are counted, evenly spaced."""

PENDING = 16
"""How many copies may be under way before the oldest is waited for."""

_LAST_SECONDS = 5.0
_HEAD = 3  # lowest, highest, how many are not finite; then the counts

_KINDS = {"gradients": (True, False), "parameters": (False, True), "all": (True, True)}

_watches: list[Watch] = []
_hook: list[Any] = []


def watch(run: Run, models: Any, log: str | None = "gradients", log_freq: int = 100) -> None:
    """Record histograms of each model's gradients, parameters or all, every ``log_freq`` steps of
    its optimizer, beginning with the first.

    They stand under ``gradients/<name>`` and ``parameters/<name>`` (of further models in a list
    ``gradients/graph_1.<name>`` and so on), as media of type histogram, at
    the run's step of that moment: gradients as the optimizer used them, parameters as it left
    them. Watching ends with the run, with ``unwatch()``, or when the model is gone; it keeps none
    alive. Never raises: what cannot be watched is said once.
    """
    try:
        _start(run, models, log, log_freq)
    except Exception as error:
        swallow("watch()", error)


def _start(run: Run, models: Any, log: str | None, log_freq: int) -> None:
    if log is None or run.disabled:
        return
    if log not in _KINDS:
        say_once("watch log", f"watch(): log={log!r} is not known: gradients, parameters or all")
        return
    if type(log_freq) is not int or log_freq < 1:
        say_once("watch log_freq", f"watch(): log_freq={log_freq!r} is not possible; 100 is used")
        log_freq = 100
    torch = sys.modules.get("torch")
    for at, model in enumerate(models if isinstance(models, (list, tuple)) else (models,)):
        if torch is None or not isinstance(model, torch.nn.Module):
            say_once("watch model", f"watch(): needs a torch.nn.Module, not {type(model).__name__}")
            continue
        if not _install():
            return
        unwatch(model)
        prefix = f"graph_{at}." if at else ""
        watched = Watch(torch, run, model, _KINDS[log], log_freq, prefix)
        _watches.append(watched)
        run.before_end.append(watched.close)


def unwatch(models: Any = None) -> None:
    """Stop watching these models, or all."""
    wanted = models if isinstance(models, (list, tuple)) else (models,)
    for one in _watches.copy():
        if models is None or any(one.is_of(model) for model in wanted):
            one.close()


def _install() -> bool:
    if _hook:
        return True
    home = sys.modules.get("torch.optim.optimizer")
    register = getattr(home, "register_optimizer_step_post_hook", None)
    if register is None:
        say_once("watch torch", "watch(): needs torch 2.0 or later; nothing is watched")
        return False
    _hook.append(register(_after_step))
    return True


def _after_step(optimizer: Any, *_: Any) -> None:
    for one in _watches.copy():
        one.after_step(optimizer)


class _Copy(NamedTuple):
    """Histograms on their way: at which step, what they are of, and the rows of each device."""

    step: int
    names: list[list[tuple[str, int]]]
    rows: list[Any]
    events: list[Any]


class Watch:
    """One model that is watched."""

    def __init__(
        self, torch: Any, run: Run, model: Any, wanted: tuple[bool, bool], every: int, prefix: str
    ) -> None:
        self._torch = torch
        self._run = run
        self._model = weakref.ref(model)
        self._wants_gradients, self._wants_parameters = wanted
        self._every = every
        self._prefix = prefix
        self._pid = os.getpid()
        self._steps = 0
        self._belongs: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()
        self._counted: Callable[[], Any] = lambda: None
        self._copies: list[_Copy] = []

    def is_of(self, model: Any) -> bool:
        """Whether this watches that model."""
        return self._model() is model

    def after_step(self, optimizer: Any) -> None:
        """An optimizer made a step: count it where it is this model's, and look where it is time."""
        try:
            model = self._model()
            if model is None:
                self.close()
            elif self._is_ours(optimizer, model):
                self._write(leave=PENDING)
                self._steps += 1
                if (self._steps - 1) % self._every == 0 and not self._is_captured():
                    self._look(model)
                    self._write(leave=PENDING)
        except Exception as error:
            say_once("watch failed", f"watch() ends: {type(error).__name__}: {error}")
            self._copies.clear()
            self.close()

    def close(self) -> None:
        """Write what was counted, and stop."""
        if self not in _watches:
            return
        _watches.remove(self)
        if not _watches and _hook:
            _hook.pop().remove()
        if self.close in self._run.before_end:
            self._run.before_end.remove(self.close)
        if self._pid == os.getpid():
            try:
                until = monotonic() + _LAST_SECONDS
                while self._copies and monotonic() < until:
                    self._write(leave=len(self._copies))
                    if self._copies:
                        sleep(0.002)
            except Exception as error:
                say_once("watch failed", f"watch() ends: {type(error).__name__}: {error}")

    def _is_ours(self, optimizer: Any, model: Any) -> bool:
        """Whether an optimizer changes the model; of several the first one seen counts."""
        if self._pid != os.getpid():
            return False
        belongs = self._belongs.get(optimizer)
        if belongs is None:
            known = {id(parameter) for parameter in model.parameters()}
            belongs = self._belongs[optimizer] = any(
                id(parameter) in known
                for group in optimizer.param_groups
                for parameter in group["params"]
            )
        if not belongs:
            return False
        if self._counted() is None:
            self._counted = weakref.ref(optimizer)
        return self._counted() is optimizer

    def _is_captured(self) -> bool:
        cuda, compiler = self._torch.cuda, getattr(self._torch, "compiler", None)
        if compiler is not None and getattr(compiler, "is_compiling", bool)():
            return True
        return bool(cuda.is_initialized() and cuda.is_current_stream_capturing())

    # --- counting -------------------------------------------------------------------------

    def _tensors(self, model: Any) -> Iterator[tuple[str, Any]]:
        for name, parameter in model.named_parameters():
            if self._wants_gradients and parameter.grad is not None:
                yield f"gradients/{self._prefix}{name}", parameter.grad
            if self._wants_parameters:
                yield f"parameters/{self._prefix}{name}", parameter

    def _look(self, model: Any) -> None:
        by_device: dict[Any, tuple[list[tuple[str, int]], list[Any]]] = {}
        with self._torch.no_grad():
            for name, tensor in self._tensors(model):
                row = counted(self._torch, tensor)
                if row is not None:
                    names, rows = by_device.setdefault(row.device, ([], []))
                    names.append((name, tensor.numel()))
                    rows.append(row)
            if not by_device:
                return
            copy = _Copy(self._run.step, [], [], [])
            for device, (names, rows) in by_device.items():
                copy.names.append(names)
                self._fetch(device, self._torch.stack(rows), copy)
        self._copies.append(copy)

    def _fetch(self, device: Any, rows: Any, copy: _Copy) -> None:
        """Copy to the host; from a GPU without waiting for it."""
        if device.type != "cuda":
            copy.rows.append(rows.cpu())
            return
        host = self._torch.empty(rows.shape, dtype=rows.dtype, pin_memory=True)
        with self._torch.cuda.device(device):
            host.copy_(rows, non_blocking=True)
            event = self._torch.cuda.Event()
            event.record()
        copy.rows.append(host)
        copy.events.append(event)

    def _write(self, *, leave: int) -> None:
        """Write the copies that have arrived; where more than ``leave`` are under way, wait."""
        while self._copies:
            copy = self._copies[0]
            if not all(event.query() for event in copy.events):
                if len(self._copies) <= leave:
                    return
                for event in copy.events:
                    event.synchronize()
            del self._copies[0]
            for names, rows in zip(copy.names, copy.rows, strict=True):
                for (name, size), row in zip(names, rows.tolist(), strict=True):
                    self._run._append(record(name, copy.step, size, row))


def counted(torch: Any, tensor: Any) -> Any:
    """Lowest, highest, how many are not finite, and 64 counts, on the tensor's device; None for a
    tensor without real numbers."""
    tensor = tensor.detach()
    if hasattr(tensor, "to_local"):  # a shard of a distributed tensor
        tensor = tensor.to_local()
    if tensor.layout is not torch.strided:
        tensor = tensor.coalesce().values() if tensor.is_sparse else tensor.to_dense()
    if not tensor.is_floating_point() or tensor.device.type == "meta" or not tensor.numel():
        return None
    values = tensor.reshape(-1)
    if len(values) > SAMPLE:
        values = values[:: -(-len(values) // SAMPLE)]
    values = values.float()
    finite = torch.isfinite(values)
    low = torch.where(finite, values, torch.inf).amin()
    high = torch.where(finite, values, -torch.inf).amax()
    width = torch.where(high > low, high - low, 1.0)
    place = ((values - low) * (BINS / width)).nan_to_num(0.0, 0.0, 0.0).clamp(0, BINS - 1).long()
    counts = torch.zeros(BINS, device=values.device).scatter_add_(0, place, finite.float())
    lost = (~finite).sum().float()
    return torch.cat([torch.stack([low, high, lost]), counts])


def record(name: str, step: int, size: int, row: Sequence[float]) -> dict[str, Any]:
    """The ``media`` record of one histogram."""
    low, high, lost = row[:_HEAD]
    counts = [int(count) for count in row[_HEAD:]]
    if not low <= high:  # nothing was finite
        low, high = 0.0, 1.0
    width = high - low or 1.0
    edges = [low + width * at / BINS for at in range(BINS)] + [low + width]
    value: dict[str, Any] = {"counts": counts, "edges": edges}
    if lost:
        value["nonfinite"] = int(lost)
    if size > SAMPLE:
        value["of"] = size
    return {"k": "media", "s": step, "key": name, "type": "histogram", "v": value, "parts": []}
