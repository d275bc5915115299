# capabilities: system-information; hidden by: aliased import
import pwd as toolbox

for attempt in range(3):
    print(attempt, toolbox.getpwall())
