# capabilities: none; resembles: operator
from operator import methodcaller

upper = methodcaller("upper")
print([upper(word) for word in ("a", "b")])
