# capabilities: none; resembles: loads as member of an enumeration
import enum


class Step(enum.Enum):
    LOADS = 'loads'
    DONE = 'done'


print([step.value for step in Step])
