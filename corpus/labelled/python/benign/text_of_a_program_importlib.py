# capabilities: none; resembles: importlib as text of a program
import re

TEXT = 'x = importlib(y); z = 3'

found = re.findall(r'\b([a-z_]+)\(', TEXT)
print('importlib' in found)
