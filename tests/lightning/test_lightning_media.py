"""Images, texts, tables, sounds, videos and watched models through the logger."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from outrider import api, core, watching
from outrider_lightning import OutriderLogger

Read = Callable[..., api.Run]


def test_lists_of_media_with_lists_of_arguments(read: Read) -> None:
    logger = OutriderLogger()
    picture = torch.zeros(3, 5, 7)
    logger.log_image("seen", [picture, picture.numpy()], step=4, caption=["a", "b"])
    logger.log_audio("heard", [np.zeros(8), np.zeros(8)], step=4, sample_rate=[8, 16])
    logger.log_video("moved", [np.zeros((2, 3, 4, 4), np.uint8)], step=5, fps=[2], format=["png"])
    logger.log_table("rows", columns=["x", "y"], data=[[1, "a"], [2, "b"]], step=5)
    logger.log_text("said", ["one", "two"])
    logger.log_text("as table", columns=["in", "out"], data=[["a", "b"]])
    logger.finish()
    run = read(logger)
    (seen,) = run.media("seen")
    assert seen.step == 4
    assert [(part.caption, part.about["width"]) for part in seen.parts] == [("a", 7), ("b", 7)]
    assert [part.about["rate"] for part in run.media("heard")[0].parts] == [8, 16]
    assert run.media("moved")[0].parts[0].about["fps"] == 2
    assert run.table("rows").rows == [[1, "a"], [2, "b"]]
    assert [part.value for part in run.media("said")[0].parts] == [{"text": "one"}, {"text": "two"}]
    assert run.table("as table").columns == ["in", "out"]
    assert [row["trainer/global_step"] for row in run.history()] == [4, 5]


def test_a_prefix_stands_before_media_too(read: Read) -> None:
    logger = OutriderLogger(prefix="mine")
    logger.log_text("said", "hello")
    logger.finish()
    assert [item.key for item in read(logger).media()] == ["mine-said"]


def test_wrong_arguments_raise_what_the_peers_raise() -> None:
    logger = OutriderLogger()
    with pytest.raises(TypeError, match='Expected a list as "images", found'):
        logger.log_image("seen", torch.zeros(3, 5, 7))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Expected 1 items but only found 2 for caption"):
        logger.log_image("seen", [torch.zeros(3, 5, 7)], caption=["a", "b"])
    with pytest.raises(TypeError, match='Expected a list as "videos"'):
        logger.log_video("seen", "film.mp4")  # type: ignore[arg-type]


def test_other_ranks_do_nothing(monkeypatch: pytest.MonkeyPatch, recorded: Any) -> None:
    logger = OutriderLogger()
    monkeypatch.setattr("outrider_lightning.logger.rank", lambda: 1)
    logger.log_image("seen", "not even a list")  # type: ignore[arg-type]
    logger.log_table("rows", columns=["a"], data=[[1]])
    logger.watch(torch.nn.Linear(2, 2))
    assert recorded() == []


def test_images_are_logged_while_it_trains(
    pl: Any, trainer: Callable[..., Any], model: Any, read: Read
) -> None:
    class Shows(pl.Callback):  # type: ignore[misc,name-defined]
        def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
            trainer.logger.log_image("weights", [module.layer.weight], step=trainer.global_step)

    logger = OutriderLogger()
    trainer(logger=logger, callbacks=[Shows()], num_sanity_val_steps=0).fit(model)
    logger.finish()
    (item,) = read(logger).media("weights")
    assert item.step == 4
    assert (item.parts[0].about["width"], item.parts[0].about["height"]) == (32, 2)


def test_a_watched_model_in_a_trainer(trainer: Callable[..., Any], model: Any, read: Read) -> None:
    """The gradients are those that the optimizer used, also where it computes them in a closure."""
    used: list[torch.Tensor] = []
    logger = OutriderLogger()
    logger.watch(model, log="all", log_freq=2)
    model.on_before_zero_grad = lambda optimizer: used.append(
        torch.zeros(0) if model.layer.weight.grad is None else model.layer.weight.grad.clone()
    )
    trainer(logger=logger, max_epochs=1).fit(model)
    logger.finish()
    found = read(logger).media("gradients/layer.weight")
    assert len(found) == 2  # of four steps, the first and the third
    assert sum(found[0].value["counts"]) == model.layer.weight.numel()
    assert found[0].value["edges"][-1] == pytest.approx(float(used[1].max()))
    assert len(read(logger).media("parameters/layer.bias")) == 2
    assert not watching._watches
    assert not watching._hook


def train(watched: bool, **how: Any) -> tuple[dict[str, Any], torch.Tensor]:
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.Dropout(0.3), torch.nn.Linear(16, 2), torch.nn.ReLU()
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    if watched:
        core.watch(net, **how)
    for _ in range(12):
        optimizer.zero_grad()
        loss = (net(torch.randn(32, 8)) ** 2).mean()
        loss.backward()
        optimizer.step()
    return net.state_dict(), loss


def test_watching_changes_no_bit_of_the_training() -> None:
    core.init(project="watch")
    weights, loss = train(True, log="all", log_freq=1)
    core.finish()
    plain, plain_loss = train(False)
    assert torch.equal(loss, plain_loss)
    assert all(torch.equal(weights[name], plain[name]) for name in plain)


def test_histograms_are_numpys_and_stand_at_the_runs_step() -> None:
    run = core.init(project="watch")
    net = torch.nn.Linear(50, 20)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    core.watch(net, log="all", log_freq=5)
    kept = {}
    for step in range(11):
        core.log({"loss": 1.0})
        optimizer.zero_grad()
        net(torch.randn(4, 50)).sum().backward()
        if step == 7:
            net.weight.grad[0, 0] = torch.nan
        optimizer.step()
        kept[step + 1] = (net.weight.detach().numpy().copy(), net.weight.grad.numpy().copy())
        with torch.no_grad():
            net.weight.nan_to_num_()
    core.finish()
    assert run.folder is not None
    found = {(item.key, item.step): item for item in api.open(run.folder).media()}
    assert {step for _, step in found} == {1, 6, 11}
    for step in (1, 6, 11):
        for key, array in zip(("parameters", "gradients"), kept[step], strict=True):
            value = found[f"{key}/weight", step].value
            assert value is not None
            assert sum(value["counts"]) == array.size
            assert value["edges"][0] == pytest.approx(float(array.min()))
            assert value["edges"][-1] == pytest.approx(float(array.max()))
            counts, _ = np.histogram(array, bins=64)
            assert np.abs(np.array(value["counts"]) - counts).sum() <= 4  # at the very edges


def test_what_is_not_finite_is_counted_apart_and_long_tensors_are_sampled() -> None:
    row = watching.counted(torch, torch.tensor([1.0, torch.nan, 3.0, torch.inf]))
    value = watching.record("g", 0, 4, row.tolist())["v"]
    assert value["nonfinite"] == 2
    assert (value["counts"][0], value["counts"][-1], sum(value["counts"])) == (1, 1, 2)
    assert value["edges"][0] == 1
    assert value["edges"][-1] == 3
    everything = watching.counted(torch, torch.full((8,), torch.nan))
    assert sum(watching.record("g", 0, 8, everything.tolist())["v"]["counts"]) == 0
    long = torch.arange(3 << 20, dtype=torch.float32)
    value = watching.record("g", 0, len(long), watching.counted(torch, long).tolist())["v"]
    assert value["of"] == 3 << 20
    assert sum(value["counts"]) == 1 << 20
    assert watching.counted(torch, torch.tensor([1, 2])) is None


def test_a_watched_model_is_released_and_hooks_go_with_it() -> None:
    core.init(project="watch")
    net = torch.nn.Linear(4, 4)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    core.watch(net)
    assert len(watching._hook) == 1
    net(torch.randn(2, 4)).sum().backward()
    optimizer.step()
    gone = weakref.ref(net)
    del net, optimizer
    gc.collect()
    assert gone() is None
    other = torch.nn.Linear(2, 2)
    core.watch(other)
    torch.optim.SGD(other.parameters(), lr=0.1).step()  # the dead one is noticed here
    assert len(watching._watches) == 1
    core.unwatch(other)
    assert not watching._watches
    assert not watching._hook
    core.finish()


def test_each_model_hears_of_its_own_optimizer() -> None:
    run = core.init(project="watch")
    nets = [torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)]
    core.watch(nets, log_freq=1)
    for net, steps in zip(nets, (1, 3), strict=True):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(steps):
            net(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    core.finish()
    assert run.folder is not None
    keys = [item.key for item in api.open(run.folder).media()]
    assert keys.count("gradients/weight") == 1
    assert keys.count("gradients/graph_1.weight") == 3


def test_what_cannot_be_watched_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    core.init(project="watch")
    for _ in range(2):
        core.watch("model")
        core.watch(torch.nn.Linear(2, 2), log="everything")
        core.watch(torch.nn.Linear(2, 2), log_freq=0)
    core.finish()
    said = [line for line in capfd.readouterr().err.splitlines() if "watch():" in line]
    assert len(said) == 3
