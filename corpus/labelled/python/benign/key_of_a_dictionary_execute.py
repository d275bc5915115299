# capabilities: none; resembles: execute as key of a dictionary
PRICES = {'execute': 3, 'other': 4}

basket = ['execute', 'other', 'execute']
print(sum(PRICES[item] for item in basket))
