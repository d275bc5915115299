# capabilities: time; hidden by: vars
import time as kit

print(vars(kit)['time']())
