# capabilities: none; resembles: table of functions
COMMANDS = {
    "eval": lambda text: len(text),
    "exec": str.upper,
    "system": str.title,
}

for name in ("eval", "exec", "system"):
    print(COMMANDS[name]("some words"))
