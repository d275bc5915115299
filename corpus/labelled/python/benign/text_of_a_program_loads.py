# capabilities: none; resembles: loads as text of a program
import re

TEXT = 'x = loads(y); z = 3'

found = re.findall(r'\b([a-z_]+)\(', TEXT)
print('loads' in found)
