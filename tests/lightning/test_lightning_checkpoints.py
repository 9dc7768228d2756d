"""Checkpoints are kept with the run: which, when, and without keeping the trainer alive."""

from __future__ import annotations

import gc
import os
import pickle
import time
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from outrider.errors import NotFound, OutriderError
from outrider_lightning import OutriderLogger
from waiting import eventually


def kept(run: Any) -> list[str]:
    return [record["path"] for record in run.records("save")]


def fetched(run: Any, name: str, to: Path) -> str:
    """The kept file, once the streamer has copied it."""
    until = time.monotonic() + 60
    while name not in {file.path for file in run.files()} and time.monotonic() < until:
        time.sleep(0.05)
    (file,) = (file for file in run.files() if file.path == name)
    return str(file.download(to))


@pytest.mark.parametrize(
    ("log_model", "names"),
    [
        (False, []),
        (True, ["checkpoints/epoch=1-step=8.ckpt", "checkpoints/last.ckpt"]),
        (
            "all",
            [
                "checkpoints/epoch=0-step=4.ckpt",
                "checkpoints/epoch=1-step=8.ckpt",
                "checkpoints/last.ckpt",
            ],
        ),
    ],
    ids=str,
)
def test_a_training_keeps_what_log_model_says(
    pl: Any, trainer: Any, model: Any, read: Any, log_model: Any, names: list[str], tmp_path: Path
) -> None:
    """Nothing, what is left at the end, or each as it is saved; the files load again."""
    logger = OutriderLogger(log_model=log_model)
    saver = pl.callbacks.ModelCheckpoint(save_last=True)
    trainer(logger=logger, max_epochs=2, callbacks=[saver]).fit(model)
    run = read(logger)
    assert sorted({*kept(run)}) == names
    for name in names:
        torch.load(fetched(run, name, tmp_path), weights_only=False)
    if names:
        told = {one["name"]: one["aliases"] for one in run.summary["checkpoints"]}
        assert told["checkpoints/epoch=1-step=8.ckpt"] == ["best", "epoch=1"]
        assert told["checkpoints/last.ckpt"] == ["latest"]


def test_the_best_are_kept_with_their_score(pl: Any, trainer: Any, model: Any, read: Any) -> None:
    """`save_top_k` by a monitored value: the files that are left, scores as numbers."""
    values = iter([3.0, 1.0, 2.0])
    model.on_validation_epoch_end = lambda: model.log("score", next(values))
    logger = OutriderLogger(log_model=True)
    saver = pl.callbacks.ModelCheckpoint(monitor="score", save_top_k=2, filename="{epoch}")
    trainer(logger=logger, max_epochs=3, num_sanity_val_steps=0, callbacks=[saver]).fit(model)
    told = {one["name"]: one for one in read(logger).summary["checkpoints"]}
    assert {name: one["score"] for name, one in told.items()} == {
        "checkpoints/epoch=1.ckpt": 1.0,
        "checkpoints/epoch=2.ckpt": 2.0,
    }
    assert "best" in told["checkpoints/epoch=1.ckpt"]["aliases"]
    assert sorted(kept(read(logger))) == sorted(told)
    (best,) = (record for record in read(logger).records("save") if "epoch=1" in record["path"])
    assert best["m"] == {"score": 1.0, "monitor": "score", "aliases": ["best", "epoch=1"]}


def report(**facts: Any) -> Any:
    plain = {"best_model_path": "", "last_model_path": "", "best_k_models": {}, "save_top_k": 1,
             "best_model_score": None, "current_score": None, "state_key": "one"}  # fmt: skip
    return SimpleNamespace(**{**plain, **facts})


def test_a_file_that_is_not_there_yet_is_kept_later(pl: Any, read: Any, place: Path) -> None:
    """Asynchronous savers report first; and a pruned or remote one is no error."""
    logger = OutriderLogger(log_model="all")
    target = place / "c" / "one.ckpt"
    logger.after_save_checkpoint(
        report(best_model_path=str(target), best_k_models={"s3://bucket/x.ckpt": 0.5})
    )
    assert kept(read(logger)) == []
    target.parent.mkdir()
    target.write_bytes(b"weights")
    logger.finalize("success")
    logger.finalize("success")
    assert kept(read(logger)) == ["c/one.ckpt"]


def test_lightnings_own_asynchronous_saver(
    pl: Any, trainer: Any, model: Any, read: Any, place: Path
) -> None:
    """Writes behind the training; what is left at the end is kept, and loads again."""
    from importlib import import_module

    saver = import_module(f"{pl.__name__}.plugins.io").AsyncCheckpointIO()
    logger = OutriderLogger(log_model=True)
    trainer(logger=logger, max_epochs=2, plugins=[saver]).fit(model)
    assert kept(read(logger)) == ["checkpoints/epoch=1-step=8.ckpt"]
    torch.load(logger.download_checkpoint(), weights_only=False)


def test_a_folder_is_kept_with_all_it_holds(pl: Any, read: Any, place: Path) -> None:
    """Sharded checkpoints are folders."""
    shards = place / "c" / "epoch=0.ckpt"
    shards.mkdir(parents=True)
    for name in ("a.distcp", "b.distcp"):
        (shards / name).write_bytes(b"weights")
    logger = OutriderLogger(log_model="all")
    logger.after_save_checkpoint(report(best_model_path=str(shards)))
    assert sorted(kept(read(logger))) == ["c/epoch=0.ckpt/a.distcp", "c/epoch=0.ckpt/b.distcp"]
    again = Path(logger.download_checkpoint("epoch=0", place / "to"))
    assert sorted(one.name for one in again.iterdir()) == ["a.distcp", "b.distcp"]


def test_a_link_to_the_last_is_told_and_not_copied(pl: Any, read: Any, place: Path) -> None:
    """`save_last="link"`."""
    folder = place / "c"
    folder.mkdir()
    (folder / "one.ckpt").write_bytes(b"weights")
    (folder / "last.ckpt").symlink_to("one.ckpt")
    logger = OutriderLogger(log_model="all")
    logger.after_save_checkpoint(
        report(best_model_path=str(folder / "one.ckpt"), last_model_path=str(folder / "last.ckpt"))
    )
    assert kept(read(logger)) == ["c/one.ckpt"]
    told = {one["name"]: one["aliases"] for one in read(logger).summary["checkpoints"]}
    assert told == {"c/one.ckpt": ["best"], "c/last.ckpt": ["latest"]}
    assert Path(logger.download_checkpoint("latest", place / "to")) == place / "to" / "c/one.ckpt"


def test_neither_callback_nor_trainer_is_kept_alive(pl: Any, trainer: Any, model: Any) -> None:
    """And what was reported pickles."""
    logger = OutriderLogger(log_model=True)
    work = trainer(logger=logger)
    work.fit(model)
    gone = weakref.ref(work), weakref.ref(work.checkpoint_callback)
    model.trainer = None
    del work
    gc.collect()
    assert [one() for one in gone] == [None, None]
    assert pickle.loads(pickle.dumps(logger)).version == logger.version


def test_a_checkpoint_is_fetched_back_and_trained_on(
    pl: Any, trainer: Any, model: Any, place: Path
) -> None:
    """Right behind the training, by alias or name; later by a logger of the run, which opens nothing."""
    logger = OutriderLogger(project="p", log_model="all")
    saver = pl.callbacks.ModelCheckpoint(monitor="epoch", mode="max", save_top_k=2, save_last=True)
    first = trainer(logger=logger, max_epochs=3, callbacks=[saver])
    first.fit(model)
    best = logger.download_checkpoint()
    assert Path(best).parent == Path(logger.save_dir, "downloads", "checkpoints")
    assert Path(best).read_bytes() == Path(saver.best_model_path).read_bytes()
    assert Path(logger.download_checkpoint("epoch=1")).name == "epoch=1-step=8.ckpt"
    logger.finish()
    for path in place.glob("lightning_logs/*/p/*/checkpoints/*"):
        path.unlink()
    later = OutriderLogger(project="p", id=logger.version)
    for which in ("latest", "last.ckpt", "checkpoints/last.ckpt", "epoch=0"):
        path = later.download_checkpoint(which, place / "to")
        torch.load(path, weights_only=False)
    assert later._adapter.run is None
    trainer(logger=False, max_epochs=4).fit(
        model, ckpt_path=str(place / "to/checkpoints/last.ckpt")
    )


def test_a_checkpoint_that_is_not_there_is_named(pl: Any, place: Path) -> None:
    """What there is, or what to ask for; and two of a name are told apart by their names."""
    logger = OutriderLogger(log_model="all")
    with pytest.raises(NotFound, match="no folder here"):
        logger.download_checkpoint()
    logger.log_metrics({"x": 1.0}, 0)
    with pytest.raises(NotFound, match="log_model=True"):
        logger.download_checkpoint()
    for name in ("a", "b"):
        (place / name).mkdir()
        (place / name / "x.ckpt").write_bytes(name.encode())
        logger.after_save_checkpoint(
            report(best_model_path=str(place / name / "x.ckpt"), state_key=name)
        )
    with pytest.raises(NotFound, match=r"several .* 'best': a/x.ckpt, b/x.ckpt"):
        logger.download_checkpoint("best")
    assert Path(logger.download_checkpoint("b/x.ckpt")).read_bytes() == b"b"
    with pytest.raises(NotFound, match=r"it has a/x\.ckpt, b/x\.ckpt"):
        logger.download_checkpoint("worst")


def test_a_checkpoint_is_fetched_from_the_server(
    pl: Any, place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that has no folder of the run."""
    from outrider_server.background import start_background

    started = start_background(tmp_path_factory.mktemp("server") / "data")
    monkeypatch.setenv("OUTRIDER_MODE", "online")
    monkeypatch.setenv("OUTRIDER_URL", started.url)
    monkeypatch.setenv("OUTRIDER_API_KEY", started.token)
    try:
        (place / "c").mkdir()
        (place / "c" / "x.ckpt").write_bytes(b"weights")
        logger = OutriderLogger(project="p", log_model=True)
        logger.after_save_checkpoint(report(best_model_path=str(place / "c" / "x.ckpt")))
        logger.finalize("success")
        logger.finish()
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        monkeypatch.chdir(elsewhere)
        other = OutriderLogger(project="p", id=logger.version)

        def fetched() -> str | None:
            try:
                return other.download_checkpoint("best", elsewhere / "to")
            except OutriderError:  # the upload goes on behind finish()
                return None

        assert Path(eventually(fetched)).read_bytes() == b"weights"
        assert os.listdir(elsewhere) == ["to"]
    finally:
        assert started.stop() == 0
