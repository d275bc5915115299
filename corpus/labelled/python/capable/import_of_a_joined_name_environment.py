# capabilities: environment; hidden by: __import__ of a joined name
parts = ('o', 's')
module = __import__(parts[0] + parts[1])
print(module.unsetenv('LEVEL'))
