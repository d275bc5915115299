# capabilities: threads; hidden by: returned function
import threading as kit


def choose(kind):
    if kind == 'sum':
        return sum
    return kit.Thread


print(choose('other')(target=print))
