# capabilities: none; resembles: connect as key of a dictionary
PRICES = {'connect': 3, 'other': 4}

basket = ['connect', 'other', 'connect']
print(sum(PRICES[item] for item in basket))
