# capabilities: none; resembles: run as key of a dictionary
PRICES = {'run': 3, 'other': 4}

basket = ['run', 'other', 'run']
print(sum(PRICES[item] for item in basket))
