# capabilities: none; resembles: operator
from operator import attrgetter, itemgetter

rows = [{"a": 2}, {"a": 1}]
print(sorted(rows, key=itemgetter("a")))
print(attrgetter("real")(3))
