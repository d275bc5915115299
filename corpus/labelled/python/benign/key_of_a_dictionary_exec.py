# capabilities: none; resembles: exec as key of a dictionary
PRICES = {'exec': 3, 'other': 4}

basket = ['exec', 'other', 'exec']
print(sum(PRICES[item] for item in basket))
