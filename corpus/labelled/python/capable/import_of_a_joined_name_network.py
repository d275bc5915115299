# capabilities: network; hidden by: __import__ of a joined name
parts = ('soc', 'ket')
module = __import__(parts[0] + parts[1])
print(module.create_connection(('192.0.2.1', 443), 2))
