# capabilities: none; resembles: signal as key of a dictionary
PRICES = {'signal': 3, 'other': 4}

basket = ['signal', 'other', 'signal']
print(sum(PRICES[item] for item in basket))
