# capabilities: files-read; hidden by: decorator
import linecache as kit


def after(function):
    def wrapper(*values):
        kit.getline('/nonexistent/a', 1)
        return function(*values)
    return wrapper


@after
def total(values):
    return sum(values)


print(total([1, 2]))
