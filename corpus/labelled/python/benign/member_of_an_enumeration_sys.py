# capabilities: none; resembles: sys as member of an enumeration
import enum


class Step(enum.Enum):
    SYS = 'sys'
    DONE = 'done'


print([step.value for step in Step])
