# capabilities: none; resembles: exec
from collections import namedtuple

Point = namedtuple("Point", "x y")
print(Point(1, 2)._asdict(), Point(3, 4)._replace(x=0))
