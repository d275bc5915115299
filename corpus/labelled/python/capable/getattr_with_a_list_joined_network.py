# capabilities: network; hidden by: getattr with a list joined
import http.client as kit

letters = ['H', 'T', 'T', 'P', 'S', 'C', 'o', 'n', 'n', 'e', 'c', 't', 'i', 'o', 'n']
chosen = getattr(kit, ''.join(letters))
print(chosen('example.invalid'))
