# capabilities: dynamic-code; hidden by: functools.partial
from functools import partial

safe_looking = partial(eval, "6 * 7")
print(safe_looking({}))
