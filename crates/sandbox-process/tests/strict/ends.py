import abc
import atexit
import contextlib
import dataclasses
import enum
import logging
import queue
import sys
import traceback
import typing
import unittest
import warnings
import weakref

atexit.register(lambda: print("at the end"))
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
logging.info("logged")
warnings.warn("warned")
line = queue.SimpleQueue()
line.put(1)
print(line.get(), queue.Queue(3).empty())


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: int
    y: int = 2


class Test(unittest.TestCase):
    def test(self):
        self.assertEqual(Point(1), Point(1, 2))


print(Colour.RED, Point(1), typing.get_type_hints(Point), weakref.ref(Point)() is Point)
tests = unittest.defaultTestLoader.loadTestsFromTestCase(Test)
result = unittest.TextTestRunner(stream=open("/dev/null", "w")).run(tests)
print(result.testsRun, abc.ABC, contextlib.suppress)


def deep(number):
    return deep(number + 1)


try:
    deep(0)
except RecursionError as error:
    print(error)
try:
    1 / 0
except ZeroDivisionError:
    traceback.print_exc()
sys.exit("with a message")
