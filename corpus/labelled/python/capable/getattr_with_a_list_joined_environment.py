# capabilities: environment; hidden by: getattr with a list joined
import os as kit

letters = ['g', 'e', 't', 'e', 'n', 'v']
chosen = getattr(kit, ''.join(letters))
print(chosen('HOME'))
