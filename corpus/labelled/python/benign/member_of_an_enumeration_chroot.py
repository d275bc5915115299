# capabilities: none; resembles: chroot as member of an enumeration
import enum


class Step(enum.Enum):
    CHROOT = 'chroot'
    DONE = 'done'


print([step.value for step in Step])
