"""Who takes part: igor in its forms, and the programs that people use for the same."""

from tests.bench.contestants.base import Contestant, Ground
from tests.bench.contestants.registry import CONTESTANTS, missing

__all__ = ["CONTESTANTS", "Contestant", "Ground", "missing"]
