# capabilities: none; resembles: nothing
import itertools

for order in itertools.permutations("abc", 2):
    print("".join(order))
