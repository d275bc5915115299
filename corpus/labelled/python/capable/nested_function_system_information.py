# capabilities: system-information; hidden by: nested function
def outer():
    def middle():
        from os import uname

        def inner():
            return uname()
        return inner
    return middle()()


print(outer())
