"""Points on the Earth, taken for a ball, and how far they are from each other. Used by geography and by doors."""

from __future__ import annotations

from math import acos, asin, atan2, cos, degrees, hypot, radians, sin, sqrt
from typing import NamedTuple

#: Mean radius of the Earth, in kilometres.
RADIUS = 6371.0

#: A point as a vector of length 1 from the Earth's centre: comparing two takes three multiplications.
Vector = tuple[float, float, float]


class Point(NamedTuple):
    """Degrees: north and east are positive."""

    latitude: float
    longitude: float

    @property
    def vector(self) -> Vector:
        """The same as a vector."""
        up, round_ = radians(self.latitude), radians(self.longitude)
        return cos(up) * cos(round_), cos(up) * sin(round_), sin(up)

    @property
    def is_real(self) -> bool:
        """Whether there is such a point."""
        return -90 <= self.latitude <= 90 and -180 <= self.longitude <= 180


def dot(one: Vector, other: Vector) -> float:
    """The cosine of the angle between two vectors of length 1: the larger, the nearer."""
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def kilometres(one: Vector, other: Vector) -> float:
    """The way between two points over the ground."""
    # By the chord and not by the cosine, whose arc is uncertain by a kilometre where points are close together.
    half = sqrt((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2) / 2
    return 2 * RADIUS * asin(min(1.0, half))


def arc(cosine: float) -> float:
    """Kilometres for the cosine of an angle. Good to a kilometre."""
    return RADIUS * acos(max(-1.0, min(1.0, cosine)))


def middle(points: list[Point]) -> Point | None:
    """The point in the midst of several; None where there is none, as between opposite ones."""
    vectors = [point.vector for point in points]
    x, y, z = (sum(vector[at] for vector in vectors) for at in range(3))
    length = sqrt(x * x + y * y + z * z)
    if length < 1e-9:
        return None
    return Point(degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x)))
