# capabilities: none; resembles: compile
import re

WORD = re.compile(r"[a-z]+")
print(WORD.findall("one two three"))
