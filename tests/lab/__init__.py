"""Real hosts on one machine, for tests and for you: `with Lab(hosts=2) as lab: …`."""

from tests.lab.command import LabError
from tests.lab.host import Host, HostPlan
from tests.lab.lab import Lab

__all__ = ["Host", "HostPlan", "Lab", "LabError"]
