"""What every test needs: the pack under the name `pack`, no network, and no silent skips where CI is set."""

import os
import runpy
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def name_the_pack() -> None:
    """Make the repository importable as `pack` without running its `__init__.py`, which needs the host."""
    if "pack" not in sys.modules:
        pack = ModuleType("pack")
        pack.__path__ = [str(ROOT)]
        sys.modules["pack"] = pack


name_the_pack()
runpy.run_path(str(ROOT / "tests" / "network_guard" / "sitecustomize.py"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Between processes, a file stays together, and so does all that shares the browser and its servers."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "tests/web" if nodeid.startswith("tests/web/") else super()._split_scope(nodeid)

    return Together(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip into a failure where CI is set: a test that cannot run there has proved nothing."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI is set, where every test must run: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """The same for a whole file that skips itself while it is collected."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped, and CI is set, where every test must run: {report.longrepr}"
    return report
