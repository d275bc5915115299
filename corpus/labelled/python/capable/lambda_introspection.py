# capabilities: introspection; hidden by: lambda
import gc as kit

steps = {'go': lambda: kit.get_objects(), 'stop': lambda: None}
for step in ('go', 'stop'):
    print(steps[step]())
