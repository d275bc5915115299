# capabilities: none; resembles: match statement
def handle(command):
    match command.split():
        case ["exec", name]:
            return f"exec {name}"
        case ["eval", *rest]:
            return len(rest)
        case _:
            return None


print(handle("eval a b"))
