from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol


class Color(Enum):
    RED = auto()


@dataclass(order=True)
class Point:
    x: int
    y: int = 0
    tags: list = field(default_factory=list)


print(Point(1), Point(1) < Point(2), Color.RED, list(Color))
match Point(3, 4):
    case Point(x=3, y=y):
        print('y', y)
