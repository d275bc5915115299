# capabilities: system-change; hidden by: getattr
import os

action = getattr(os, 'nice')
print(action(0))
