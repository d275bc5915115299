# capabilities: system-change; hidden by: match statement
def handle(command):
    match command.split():
        case ['go']:
            import os as kit
            return kit.nice(0)
        case _:
            return None


print(handle('go'))
