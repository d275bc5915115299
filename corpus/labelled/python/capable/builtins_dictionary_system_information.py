# capabilities: system-information; hidden by: builtins dictionary
import builtins

bring = builtins.__dict__['__import__']
print(bring('pwd').getpwall())
