# capabilities: introspection; hidden by: __import__ of a joined name
parts = ('ins', 'pect')
module = __import__(parts[0] + parts[1])
print(module.stack())
