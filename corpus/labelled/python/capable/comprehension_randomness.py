# capabilities: randomness; hidden by: comprehension
import random as kit

print([work(6) for work in (kit.randrange,)])
