# capabilities: introspection; hidden by: format-string attribute access
class Item:
    level = 1

    def show(self):
        return self.level


text = "{item.show.__func__.__globals__}"
print(text.format(item=Item()))
