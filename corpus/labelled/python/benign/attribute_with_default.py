# capabilities: none; resembles: getattr
class Options:
    verbose = True


options = Options()
print(getattr(options, "verbose", False), getattr(options, "quiet", False))
