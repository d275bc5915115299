# capabilities: none; resembles: compile as member of an enumeration
import enum


class Step(enum.Enum):
    COMPILE = 'compile'
    DONE = 'done'


print([step.value for step in Step])
