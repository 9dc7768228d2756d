"""The run as a context manager, its own methods, its summary, an explicit step."""

import outrider as wandb

with wandb.init(
    project="context", entity="my-team", name="baseline", tags=["a", "b"], notes="first try",
    group="experiment-1", job_type="train", config={"batch_size": 32},
) as run:  # fmt: skip
    run.config.update({"lr": 1e-3}, allow_val_change=True)
    run.config["depth"] = 4
    for step in range(0, 50, 10):
        run.log({"train/loss": 1 / (step + 1), "nested": {"a": step}}, step=step)
    run.summary["best_loss"] = 0.02
    run.summary.update({"final": True})
    assert run.name == "baseline"
    assert run.project == "context"
    assert run.id
    assert run.url
    assert run.dir
assert wandb.run is None
