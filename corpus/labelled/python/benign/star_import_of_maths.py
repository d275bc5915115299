# capabilities: none; resembles: star import
from math import *

print(sqrt(16), floor(pi), gcd(12, 18))
