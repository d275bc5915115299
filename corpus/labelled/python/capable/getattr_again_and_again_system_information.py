# capabilities: system-information; hidden by: getattr again and again
import functools
import os as kit

found = functools.reduce(getattr, ['uname'], kit)
print(found())
