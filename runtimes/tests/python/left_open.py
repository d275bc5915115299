def use():
    return file


file = open('left.txt', 'w')
file.write('written at the end')
raise ValueError('with a function that sees it')
