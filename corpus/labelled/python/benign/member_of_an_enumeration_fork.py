# capabilities: none; resembles: fork as member of an enumeration
import enum


class Step(enum.Enum):
    FORK = 'fork'
    DONE = 'done'


print([step.value for step in Step])
