# capabilities: none; resembles: pickle as key of a dictionary
PRICES = {'pickle': 3, 'other': 4}

basket = ['pickle', 'other', 'pickle']
print(sum(PRICES[item] for item in basket))
