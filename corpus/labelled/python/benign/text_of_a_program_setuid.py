# capabilities: none; resembles: setuid as text of a program
import re

TEXT = 'x = setuid(y); z = 3'

found = re.findall(r'\b([a-z_]+)\(', TEXT)
print('setuid' in found)
