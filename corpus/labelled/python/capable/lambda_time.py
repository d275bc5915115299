# capabilities: time; hidden by: lambda
import time as kit

steps = {'go': lambda: kit.monotonic(), 'stop': lambda: None}
for step in ('go', 'stop'):
    print(steps[step]())
