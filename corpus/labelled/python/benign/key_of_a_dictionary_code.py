# capabilities: none; resembles: code as key of a dictionary
PRICES = {'code': 3, 'other': 4}

basket = ['code', 'other', 'code']
print(sum(PRICES[item] for item in basket))
