# capabilities: introspection; hidden by: namespace dictionary
import sys as kit

table = kit.__dict__
print(table['settrace'](None))
