# capabilities: environment; hidden by: namespace dictionary
import os as kit

table = kit.__dict__
print(table['putenv']('LEVEL', '3'))
