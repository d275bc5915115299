# capabilities: none; resembles: socket as text of a program
import re

TEXT = 'x = socket(y); z = 3'

found = re.findall(r'\b([a-z_]+)\(', TEXT)
print('socket' in found)
