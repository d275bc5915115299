# capabilities: none; resembles: load as text of a program
import re

TEXT = 'x = load(y); z = 3'

found = re.findall(r'\b([a-z_]+)\(', TEXT)
print('load' in found)
