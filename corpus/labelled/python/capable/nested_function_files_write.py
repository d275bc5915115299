# capabilities: files-write; hidden by: nested function
def outer():
    def middle():
        from shutil import move

        def inner():
            return move('/nonexistent/a', '/nonexistent/b')
        return inner
    return middle()()


print(outer())
