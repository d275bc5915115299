# capabilities: none; resembles: requests as key of a dictionary
PRICES = {'requests': 3, 'other': 4}

basket = ['requests', 'other', 'requests']
print(sum(PRICES[item] for item in basket))
