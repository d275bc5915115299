# capabilities: randomness; hidden by: star import
from random import *

print(sample(range(10), 3))
