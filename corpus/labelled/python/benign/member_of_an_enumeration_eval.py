# capabilities: none; resembles: eval as member of an enumeration
import enum


class Step(enum.Enum):
    EVAL = 'eval'
    DONE = 'done'


print([step.value for step in Step])
