"""A run that is resumed under its id, and one that is switched off."""

import outrider as wandb

wandb.login()
run = wandb.init(project="resume", id="fixed-id", resume="allow", dir=".")
for step in range(3):
    wandb.log({"loss": step})
wandb.finish()
run = wandb.init(project="resume", id="fixed-id", resume="must")
assert run.resumed
assert run.step == 3
wandb.log({"loss": 3})
wandb.finish()
off = wandb.init(project="resume", mode="disabled")
off.log({"loss": 9})
off.finish()
