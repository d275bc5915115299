# capabilities: none; resembles: urlopen as member of an enumeration
import enum


class Step(enum.Enum):
    URLOPEN = 'urlopen'
    DONE = 'done'


print([step.value for step in Step])
