"""How soon a tracker's page shows its first chart, in a Chromium with an empty cache, over the same data.

The work is `page_peers.py`'s: ten runs of forty metrics, the median of three looks behind one that warms
the server.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import page_peers
from page_browser import chromium, found
from server_cost import TOGETHER
from training import Failed

if TYPE_CHECKING:
    from environments import Environment
    from measures import Effort, Measure, Round
    from subjects import Subject

METRICS = 40
PEERS = {peer.name: peer for peer in page_peers.PEERS}


def page(subject: Subject, environment: Environment, effort: Effort) -> Round:
    """From the address to the first chart."""
    if not found():
        raise Failed("no Chromium here")
    from playwright.sync_api import Error

    os.environ["OUTRIDER_TEST_PEER_STEPS"] = str(effort.page_steps)
    try:
        with chromium() as browser:
            if subject.page in PEERS:
                peer = replace(PEERS[subject.page], package=subject.environment)
                took = page_peers.their_time(browser, peer)[0]
            else:
                took = page_peers.our_time(browser)
    except (OSError, RuntimeError, Error) as error:
        raise Failed(str(error)) from error
    return {"first_chart_ms": took, "points": TOGETHER * METRICS * effort.page_steps}


SEEN: dict[str, Measure] = {"page": page}
"""Measured once, and alone."""
