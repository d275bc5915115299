# capabilities: none; resembles: system as text of a program
import re

TEXT = 'x = system(y); z = 3'

found = re.findall(r'\b([a-z_]+)\(', TEXT)
print('system' in found)
