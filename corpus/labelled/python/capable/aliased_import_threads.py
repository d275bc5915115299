# capabilities: threads; hidden by: aliased import
import _thread as toolbox

for attempt in range(3):
    print(attempt, toolbox.start_new_thread(print, ()))
