# capabilities: time; hidden by: functools.partial
import functools
from time import sleep as inner

ready = functools.partial(inner)
print(ready(0))
