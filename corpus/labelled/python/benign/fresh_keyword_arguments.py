# capabilities: none; resembles: exec
def configure(exec=None, eval=None, **others):
    return {"exec": exec, "eval": eval, **others}


print(configure(exec="fast", open=3))
