"""How files are handed to pytest-xdist's workers, such that a worker that dies costs one test.

pytest-xdist 3.8 gives the file of a dead worker to a new one, beginning with the test that killed
the first; and if one test is left, the new worker waits for a second one for ever.
"""

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class FileScheduling(LoadFileScheduling):
    """Hand out whole files, the longest first; go on after the death of a worker."""

    def remove_node(self, node: WorkerController) -> str | None:
        dead = super().remove_node(node)
        for tests in self.workqueue.values():
            if dead in tests:
                tests[dead] = True  # it has failed; don't let it end another worker
        return dead

    def schedule(self) -> None:
        super().schedule()
        for node in self.nodes:
            # Until there are two tests or none are left; the last of a worker's tests waits for
            # another one, or for the word that there is none.
            while self._takes_work(node) and self.workqueue and self._waiting(node) < 2:
                self._reschedule(node)
            self._reschedule(node)

    def _reschedule(self, node: WorkerController) -> None:
        if self._takes_work(node):
            super()._reschedule(node)

    def _takes_work(self, node: WorkerController) -> bool:
        """Whether it is not being shut down, and, if it is a new one, knows the tests by now."""
        return node in self.registered_collections and not node.shutting_down

    def _waiting(self, node: WorkerController) -> int:
        return int(self._pending_of(self.assigned_work[node]))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileScheduling | None:
    return FileScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
