# capabilities: none; resembles: kill as key of a dictionary
PRICES = {'kill': 3, 'other': 4}

basket = ['kill', 'other', 'kill']
print(sum(PRICES[item] for item in basket))
