# capabilities: randomness; hidden by: bound method
import random

mix = random.Random().shuffle
cards = list(range(52))
mix(cards)
print(cards[:5])
