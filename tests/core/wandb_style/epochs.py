"""define_metric with an own x axis and the best value in the summary; commit=False."""

import outrider as wandb

run = wandb.init(project="epochs")
run.define_metric("epoch")
run.define_metric("val/*", step_metric="epoch", summary="max")
wandb.define_metric("val/loss", step_metric="epoch", summary="min")
for epoch in range(5):
    for batch in range(3):
        wandb.log({"train/loss": 1.0 / (1 + epoch * 3 + batch)})
    wandb.log({"epoch": epoch}, commit=False)
    wandb.log({"val/acc": epoch / 5, "val/loss": 1 - epoch / 5})
assert run.summary["val/loss"] == 1 - 4 / 5
run.finish(exit_code=0)
