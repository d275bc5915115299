# capabilities: network; hidden by: aliased import
import urllib.request as toolbox

for attempt in range(3):
    print(attempt, toolbox.urlopen('http://example.invalid/feed'))
