# capabilities: none; resembles: dlopen as member of an enumeration
import enum


class Step(enum.Enum):
    DLOPEN = 'dlopen'
    DONE = 'done'


print([step.value for step in Step])
