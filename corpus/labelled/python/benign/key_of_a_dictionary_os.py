# capabilities: none; resembles: os as key of a dictionary
PRICES = {'os': 3, 'other': 4}

basket = ['os', 'other', 'os']
print(sum(PRICES[item] for item in basket))
