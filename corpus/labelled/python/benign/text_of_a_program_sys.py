# capabilities: none; resembles: sys as text of a program
import re

TEXT = 'x = sys(y); z = 3'

found = re.findall(r'\b([a-z_]+)\(', TEXT)
print('sys' in found)
