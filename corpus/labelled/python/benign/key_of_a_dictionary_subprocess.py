# capabilities: none; resembles: subprocess as key of a dictionary
PRICES = {'subprocess': 3, 'other': 4}

basket = ['subprocess', 'other', 'subprocess']
print(sum(PRICES[item] for item in basket))
