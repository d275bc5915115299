# capabilities: none; resembles: compile as text of a program
import re

TEXT = 'x = compile(y); z = 3'

found = re.findall(r'\b([a-z_]+)\(', TEXT)
print('compile' in found)
