# capabilities: files-read; hidden by: functools.partial
import functools
from os import listdir as inner

ready = functools.partial(inner)
print(ready('/nonexistent'))
