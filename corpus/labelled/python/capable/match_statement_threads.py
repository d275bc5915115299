# capabilities: threads; hidden by: match statement
def handle(command):
    match command.split():
        case ['go']:
            import threading as kit
            return kit.Thread(target=print)
        case _:
            return None


print(handle('go'))
