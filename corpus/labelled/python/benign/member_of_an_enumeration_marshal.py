# capabilities: none; resembles: marshal as member of an enumeration
import enum


class Step(enum.Enum):
    MARSHAL = 'marshal'
    DONE = 'done'


print([step.value for step in Step])
