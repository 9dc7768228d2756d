"""Several runs in one process, argparse as config, an alert, a file saved."""

import argparse
import pathlib

import outrider as wandb

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args([])
for seed in range(3):
    run = wandb.init(project="sweep", group="lr-0.1", config=args, reinit=True)
    wandb.config.update({"seed": seed})
    for step in range(4):
        wandb.log({"loss": 1 / (step + 1 + seed)})
    if seed == 2:
        wandb.alert(title="Low accuracy", text="below the threshold", level=wandb.AlertLevel.WARN)
        pathlib.Path("model.txt").write_text("weights")
        wandb.save("model.txt")
    run.finish()
