"""Secrets as people leave them lying about, made anew each time, and innocent lines beside them."""

from __future__ import annotations

import base64
import random
import string
from typing import NamedTuple

LETTERS, DIGITS = string.ascii_letters, string.digits
ALNUM = LETTERS + DIGITS


class Planted(NamedTuple):
    """A text and the secret in it, which must not be found in what leaves."""

    text: str
    secret: str


def _of(rng: random.Random, letters: str, count: int) -> str:
    while True:
        made = "".join(rng.choice(letters) for _ in range(count))
        wanted = [kind for kind in (string.ascii_lowercase, string.ascii_uppercase, DIGITS)
                  if set(kind) & set(letters)]  # fmt: skip
        if count < 8 or all(set(kind) & set(made) for kind in wanted):
            return made


def _key(rng: random.Random) -> str:
    """A key of one of the forms that services give out."""
    upper = string.ascii_uppercase + DIGITS
    return rng.choice([
        lambda: "ghp_" + _of(rng, ALNUM, 36),
        lambda: "github_" + "pat_" + _of(rng, ALNUM, 22) + "_" + _of(rng, ALNUM, 59),
        lambda: "glpat-" + _of(rng, ALNUM + "-_", 20),
        lambda: "AKIA" + _of(rng, upper, 16),
        lambda: "AIza" + _of(rng, ALNUM + "-_", 35),
        lambda: "xoxb-" + _of(rng, DIGITS, 12) + "-" + _of(rng, ALNUM, 24),
        lambda: "sk-" + _of(rng, ALNUM, 48),
        lambda: "sk-proj-" + _of(rng, ALNUM + "-_", 60),
        lambda: "sk-ant-api03-" + _of(rng, ALNUM + "-_", 80),
        lambda: "hf_" + _of(rng, LETTERS, 34),
        lambda: "sk_live_" + _of(rng, ALNUM, 24),
        lambda: "npm_" + _of(rng, ALNUM, 36),
        lambda: "SG." + _of(rng, ALNUM + "-_", 22) + "." + _of(rng, ALNUM + "-_", 43),
        lambda: "eyJ" + _of(rng, ALNUM, 30) + ".eyJ" + _of(rng, ALNUM, 60) + "." + _of(rng, ALNUM, 43),
        lambda: "dapi" + _of(rng, "abcdef" + DIGITS, 32),
        lambda: _of(rng, DIGITS, 10) + ":AA" + _of(rng, ALNUM + "-_", 33),
    ])()  # fmt: skip


def _password(rng: random.Random) -> str:
    return rng.choice([
        lambda: _of(rng, ALNUM, 12),
        lambda: rng.choice(["Summer", "winter", "Hunter", "correct", "Dragon"]) + _of(rng, DIGITS, 4) + "!",
        lambda: _of(rng, ALNUM + "!%^*_+", 20),
        lambda: rng.choice(["hunter", "letmein", "trustno"]) + _of(rng, DIGITS, 3),
    ])()  # fmt: skip


def _random(rng: random.Random) -> str:
    return rng.choice([
        lambda: _of(rng, ALNUM, 40),
        lambda: base64.b64encode(rng.randbytes(30)).decode(),
        lambda: _of(rng, "abcdef" + DIGITS, 40),
        lambda: _of(rng, ALNUM, 32),
    ])()  # fmt: skip


CERTAIN = (
    "password", "db_password", "API_KEY", "apiKey", "secret_key", "client_secret", "hf_token",
    "aws_secret_access_key", "GITHUB_TOKEN", "accessToken", "passphrase", "SLACK_BOT_TOKEN",
)  # fmt: skip

CODE = (
    '{name} = "{secret}"',
    "    {name}: str = '{secret}'",
    'client = connect(host, {name}="{secret}")',
    '    "{name}": "{secret}",',
    'os.environ["{name}"] = "{secret}"',
    'os.environ.setdefault("{name}", "{secret}")',
    'parser.add_argument("--{name}", default="{secret}")',
    'config["{name}"] = "{secret}"  # do not commit',
    "export {upper}={secret}",
    "{upper}={secret}",
    "ENV {upper}={secret}",
    "python train.py --{dashed} {secret} --lr 0.1",
    'subprocess.run(["login", "--{dashed}", "{secret}"])',
    '   "os.environ[\\"{upper}\\"] = \\"{secret}\\"\\n",',
)
SHAPED = (
    'login("{key}")',
    "# my key is {key}",
    'token = "{key}"',
    "curl -H 'Authorization: Bearer {key}' example.com",
    'headers = {{"Authorization": "Bearer {key}"}}',
    "!huggingface-cli login --token {key}",
    'KEYS = ["{key}"]',
    "    run(key={key!r})",
)
URLS = (
    'DATABASE = "postgresql://app:{secret}@db.example.com:5432/runs"',
    "git clone https://bot:{secret}@git.example.com/team/model.git",
    'broker = "redis://:{secret}@cache.example.com/0"',
    "url = 'mongodb+srv://me:{secret}@cluster.example.com/?retryWrites=true'",
    'requests.get("https://api.example.com/v1?user=7&access_token={secret}")',
    "pip install --index-url https://me:{secret}@pypi.example.com/simple package",
    "curl -u admin:{secret} https://server.example.com/x",
)
SETTINGS = (
    "password: {secret}",
    "  api_key: {secret}",
    "db_password = {secret}",
    'secret_key = "{secret}"',
    "aws_secret_access_key = {secret}",
    '  "client_secret": "{secret}"',
)


def _urlsafe(secret: str) -> str:
    return "".join(sign for sign in secret if sign in ALNUM + "_-")


def code_lines(rng: random.Random, count: int) -> list[Planted]:
    """Lines of programs."""
    made = []
    for at in range(count):
        which = at % 3
        if which == 0:
            name = rng.choice(CERTAIN)
            secret = rng.choice([_password, _random])(rng)
            form = rng.choice(CODE)
            text = form.format(
                name=name, upper=name.upper(), dashed=name.replace("_", "-"), secret=secret
            )
        elif which == 1:
            secret = _key(rng)
            text = rng.choice(SHAPED).format(key=secret)
        else:
            secret = _urlsafe(_random(rng) if rng.random() < 0.5 else _password(rng)) + "x7"
            text = rng.choice(URLS).format(secret=secret)
        made.append(Planted(text, secret))
    return made


def settings_lines(rng: random.Random, count: int) -> list[Planted]:
    """Lines of YAML, INI and JSON files."""
    made = []
    for _ in range(count):
        secret = rng.choice([_password, _random])(rng)
        made.append(Planted(rng.choice(SETTINGS).format(secret=secret), secret))
    return made


def arguments(rng: random.Random, count: int) -> list[tuple[list[str], str]]:
    """Command lines, each with the secret in it."""
    made = []
    for at in range(count):
        name = rng.choice(CERTAIN).replace("_", "-")
        secret = rng.choice([_password, _random])(rng)
        which = at % 6
        if which == 0:
            words = [f"--{name}", secret]
        elif which == 1:
            words = [f"--{name}={secret}"]
        elif which == 2:
            words = [f"+trainer.logger.{name.replace('-', '_')}={secret}"]
        elif which == 3:
            secret = _key(rng)
            words = [rng.choice(["", "--auth=", "--x="]) + secret]
        elif which == 4:
            secret = _urlsafe(secret) + "x7"
            words = ["--store", f"s3+https://me:{secret}@store.example.com/bucket"]
        else:
            words = ["--token", secret]
        made.append((words, secret))
    return made


INNOCENT = """\
import torch.nn.functional as F
tokenizer = AutoTokenizer.from_pretrained("meta-llama/Llama-2-7b-chat-hf")
pad_token = "<pad>"
self.eos_token_id = 50256
parser.add_argument("--max-tokens", type=int, default=4096, help="tokens in a batch")
parser.add_argument("--password", help="the password of the store")
password = getpass.getpass("Password: ")
api_key = os.environ["OPENAI_API_KEY"]
token = os.getenv("HF_TOKEN")
client = Client(token=token, password=args.password)
def login(user: str, password: str, *, token: str | None = None) -> None:
secret_key: SecretStr
if token == "the":
keys = sorted(config.keys())
for key, value in state_dict.items():
assert sha256 == "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
revision = "8b3e6a1f0c2d4b5a69788796a5b4c3d2e1f00112"
run_id = "123e4567-e89b-12d3-a456-426614174000"
key = jax.random.PRNGKey(1234567)
self.query_key_value = nn.Linear(hidden, 3 * hidden)
sort_key = "val/accuracy_top1"
primary_key = "user_id"
attention_mask = mask.unsqueeze(1).unsqueeze(2)
url = "https://example.com/datasets/imagenet/train-00001-of-01024.tar"
remote = "git@git.example.com:team/model.git"
path = "/data/experiments/2024-01-15/run_12/checkpoint-10000/model.safetensors"
model_name = "resnet50_v2_imagenet21k_pretrained_224x224"
logger.info("authentication of %s failed", user)
author = "Jane Doe"
num_tokens_per_batch: 16384
tokenizer_file: tokenizer.json
special_tokens = {"bos_token": "<s>", "unk_token": "<unk>", "mask_token": "[MASK]"}
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95))
x = layer_norm(x + self.self_attn(x, x, x, key_padding_mask=padding)[0])
dataset: wikitext-103-raw-v1
monitor: val/loss
cache_key = f"{name}-{split}-{seed}"
password: ${DB_PASSWORD}
api_key: !ENV {API_KEY}
token: null
secrets: inherit
basic training continues after the warmup
passes = int(os.environ.get("PASSES", 3))
self.forward_pass = compile(model.forward)
raise ValueError("either token or password must be given")
assert hasattr(tokenizer, "sep_token")
"input_ids", "token_type_ids", "attention_mask"
signature = inspect.signature(function)
KeyError: 'encoder.layers.11.self_attn.in_proj_weight'
print(f"{tokens_per_second:.1f} tokens/s")
auth_backend = "django.contrib.auth.backends.ModelBackend"
wandb.init(project="my-project", entity="my-team")
assert token.startswith("##")
token_to_id = {token: at for at, token in enumerate(vocabulary)}
CUDA_VISIBLE_DEVICES=0,1,2,3
PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True
color = "#1f77b4"
version = "2.1.0+cu121"
checkpoint = "epoch=12-step=34567-val_loss=0.1234.ckpt"
crypto = hashlib.sha256(data).hexdigest()
license_key_file = "LICENSE"
"""


def innocent_lines() -> list[str]:
    """Lines that hold no secret: handwritten ones, and programs of Python's own library."""
    import argparse
    import ast
    import asyncio.base_events
    import concurrent.futures.thread
    import dataclasses
    import getpass
    import hashlib
    import http.client
    import json.decoder
    import logging.config
    import netrc
    import secrets
    import smtplib
    import tokenize
    import urllib.request

    modules = (
        argparse, ast, asyncio.base_events, concurrent.futures.thread, dataclasses, getpass, hashlib,
        http.client, json.decoder, logging.config, netrc, secrets, smtplib, tokenize, urllib.request,
        random, string, base64,
    )  # fmt: skip
    found = INNOCENT.splitlines()
    for module in modules:
        assert module.__file__ is not None
        with open(module.__file__, encoding="utf-8") as file:
            found += [line.rstrip("\n") for line in file if line.strip()]
    return found


INNOCENT_ARGUMENTS = """\
train.py --lr 3e-4 --batch-size 32 --epochs 10
--tokenizer gpt2 --max-tokens 4096 --pad-token <pad>
--model meta-llama/Llama-2-7b-chat-hf --revision 8b3e6a1f0c2d4b5a69788796a5b4c3d2e1f00112
--config configs/vit_base_patch16_224.yaml --seed 1234567
--data /data/imagenet/train --out runs/2024-01-15T10-20-30
model=resnet50 trainer.max_epochs=100 +data.num_workers=8 ~logger
--key-value-heads 8 --sort-key val_loss --num-key-value-heads 4
--url https://example.com/data.tar --remote git@git.example.com:team/model.git
--token-file tokens.json --api-key-env OPENAI_API_KEY --no-auth
--name brave-otter-17 --tags a,b,c --notes first --resume auto
--amp bf16 --compile --grad-clip 1.0 --optim adamw_torch_fused
--checkpoint epoch=12-step=34567.ckpt --run-id 123e4567-e89b-12d3-a456-426614174000
--dropout 0.1 --token-dropout 0.05 --secret-sauce=false --user alice
"""
