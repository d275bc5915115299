# capabilities: none; resembles: bind as member of an enumeration
import enum


class Step(enum.Enum):
    BIND = 'bind'
    DONE = 'done'


print([step.value for step in Step])
