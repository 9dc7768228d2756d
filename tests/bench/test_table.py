"""`tox -e bench`: one table of figures beside their budgets. It asserts no time."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]


def test_all_benchmarks_run_and_print_one_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every figure can be measured; whether it is within its budget is for the reader."""
    import frameworks
    import log_path
    import page_cost
    import page_peers
    import server_cost
    import start_up
    import streamer_cost
    import upload_cost
    from figures import show

    monkeypatch.setenv("PYTHONWARNINGS", "default")
    measures = [
        log_path.costs, log_path.system_calls, start_up.imports, start_up.init,
        streamer_cost.measure, streamer_cost.growth, server_cost.ingest_and_chart, server_cost.table,
        upload_cost.measure, frameworks.lightning, frameworks.keras,
        *page_cost.measures(), *page_peers.measures(),
    ]  # fmt: skip
    figures = [figure for measure in measures for figure in measure()]
    with capsys.disabled():
        print(f"\n{show(figures)}")
    assert all(figure.value >= 0 for figure in figures)
