# capabilities: none; resembles: shutil as member of an enumeration
import enum


class Step(enum.Enum):
    SHUTIL = 'shutil'
    DONE = 'done'


print([step.value for step in Step])
