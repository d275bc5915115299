# capabilities: processes; hidden by: functools.partial
import functools
from pty import spawn as inner

ready = functools.partial(inner)
print(ready('/bin/true'))
