# capabilities: dynamic-code; hidden by: class attribute
class Runner:
    run = staticmethod(exec)


Runner.run("value = 3")
