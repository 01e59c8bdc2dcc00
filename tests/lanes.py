"""Which process of pytest-xdist runs which tests. A file's tests run in one process, once for each kind of database.

Tests with programs mostly wait, and the others mostly compute. So a third of the processes runs the former on SQLite, a
third runs them on PostgreSQL, and a third runs the others. Then both cores have work all the time, and few processes
start a deployment. A process without work of its own lane helps the others.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_WITH_PROGRAMS = ("tests/e2e/", "tests/faults/")
_LANES = ("sqlite", "postgresql", "")


class _Lanes(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        """The lane and the file. In e2e, all files of a lane share one browser and one stack of programs."""
        file = nodeid.partition("::")[0]
        if not file.startswith(_WITH_PROGRAMS):
            return f"|{file}"
        lane = "postgresql" if "postgresql" in nodeid.partition("[")[2] else "sqlite"
        return f"{lane}|{'tests/e2e' if file.startswith('tests/e2e/') else file}"

    def _assign_work_unit(self, node: WorkerController) -> None:
        lane = _LANES[int(node.gateway.id.removeprefix("gw")) % len(_LANES)]
        own = next((scope for scope in self.workqueue if scope.partition("|")[0] == lane), None)
        if own is not None:
            self.workqueue.move_to_end(own, last=False)
        super()._assign_work_unit(node)


# pytest-xdist's own groups (`--dist loadgroup`) have no effect with pytest 9.2
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Lanes:
    config.option.loadscopereorder = False  # the fault tests come first; the files with few tests are the long ones
    return _Lanes(config, log)
