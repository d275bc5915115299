# capabilities: none; resembles: frame as member of an enumeration
import enum


class Step(enum.Enum):
    FRAME = 'frame'
    DONE = 'done'


print([step.value for step in Step])
