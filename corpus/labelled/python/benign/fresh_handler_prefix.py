# capabilities: none; resembles: getattr with a computed name
class Bot:
    def on_start(self):
        return "started"

    def fire(self, event):
        handler = getattr(self, "on_" + event.lower(), None)
        return handler() if handler else None


print(Bot().fire("START"))
