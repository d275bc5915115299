# capabilities: none; resembles: CDLL as key of a dictionary
PRICES = {'CDLL': 3, 'other': 4}

basket = ['CDLL', 'other', 'CDLL']
print(sum(PRICES[item] for item in basket))
