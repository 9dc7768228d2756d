"""The store's own work pushes nobody aside."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from feeding import Feeder, point

from outrider_server.store.beside import work_beside
from waiting import eventually

if TYPE_CHECKING:
    from outrider_server.store import Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has such threads")


def policy(name: str) -> int:
    """How Linux schedules the thread of this name."""
    (thread,) = [each for each in threading.enumerate() if each.name == name]
    assert thread.native_id
    return os.sched_getscheduler(thread.native_id)


@pytest.mark.skipif(
    sys.platform == "linux" and os.sched_getscheduler(0) != os.SCHED_OTHER,
    reason="the tests have a policy of their own",
)
@pytest.mark.parametrize("name", ["store-writer", "store-checkpoints"])
def test_threads_of_the_store_begin_when_there_is_room(store: Store, name: str) -> None:
    """The one that answers requests keeps the processor while it works; acks do not wait for it."""
    Feeder(store).log(point(1, loss=0.5))
    eventually(lambda: policy(name) == os.SCHED_BATCH)
    assert policy("store-acks") == os.sched_getscheduler(0) == os.SCHED_OTHER


def test_another_policy_is_kept() -> None:
    """Who lets the server run only when nothing else does means all of it."""
    seen = []

    def work() -> None:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        work_beside()
        seen.append(os.sched_getscheduler(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [os.SCHED_IDLE]
