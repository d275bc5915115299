# capabilities: randomness; hidden by: operator.attrgetter
import operator
import os as kit

fetch = operator.attrgetter('urandom')
print(fetch(kit)(8))
