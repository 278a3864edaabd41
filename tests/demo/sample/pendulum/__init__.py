"""A pendulum without friction."""

from pendulum.model import Pendulum, State, simulate

__all__ = ["Pendulum", "State", "simulate"]
