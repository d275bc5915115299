# capabilities: none; resembles: nothing
from collections import Counter

text = "open the system and kill the process with exec"
print(Counter(text.split()).most_common(2))
