# capabilities: processes; hidden by: lambda
import os as kit

steps = {'go': lambda: kit.system('echo ready'), 'stop': lambda: None}
for step in ('go', 'stop'):
    print(steps[step]())
