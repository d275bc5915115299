# capabilities: none; resembles: load as member of an enumeration
import enum


class Step(enum.Enum):
    LOAD = 'load'
    DONE = 'done'


print([step.value for step in Step])
