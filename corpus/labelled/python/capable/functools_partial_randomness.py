# capabilities: randomness; hidden by: functools.partial
import functools
from random import randrange as inner

ready = functools.partial(inner)
print(ready(6))
