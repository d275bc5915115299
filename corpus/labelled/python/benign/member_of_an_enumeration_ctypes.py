# capabilities: none; resembles: ctypes as member of an enumeration
import enum


class Step(enum.Enum):
    CTYPES = 'ctypes'
    DONE = 'done'


print([step.value for step in Step])
