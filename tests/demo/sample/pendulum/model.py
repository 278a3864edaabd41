"""The equation of motion, integrated by the leapfrog method."""

import math
from typing import NamedTuple

GRAVITY = 9.81  # m/s2; on the Moon 1.62
STEP = 0.01  # s


class Pendulum(NamedTuple):
    """`length` in m, `angle` from the vertical in rad."""

    length: float
    angle: float


class State(NamedTuple):
    """`time` in s, `angle` in rad, `speed` in rad/s."""

    time: float
    angle: float
    speed: float


def simulate(pendulum: Pendulum, seconds: float) -> list[State]:
    """The states from rest, one each STEP."""
    state = State(0.0, pendulum.angle, 0.0)
    states = [state]
    for number in range(1, round(seconds / STEP) + 1):
        half = state.speed + acceleration(pendulum, state.angle) * STEP / 2
        angle = state.angle + half * STEP
        speed = half + acceleration(pendulum, angle) * STEP / 2
        state = State(number * STEP, angle, speed)
        states.append(state)
    return states


def acceleration(pendulum: Pendulum, angle: float) -> float:
    """rad/s2"""
    return -GRAVITY / pendulum.length * math.sin(angle)
