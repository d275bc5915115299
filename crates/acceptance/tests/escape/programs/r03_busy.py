"""R-03: keeps forty-one processes busy until something stops them."""
import os
from attempts import begin

begin("forty busy processes")
for _ in range(40):
    if os.fork() == 0:
        break
while True:
    pass
