# capabilities: none; resembles: spawn as key of a dictionary
PRICES = {'spawn': 3, 'other': 4}

basket = ['spawn', 'other', 'spawn']
print(sum(PRICES[item] for item in basket))
