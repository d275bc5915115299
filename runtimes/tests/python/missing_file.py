try:
    open('nothing.txt')
except FileNotFoundError as error:
    print(error.strerror, error.filename)
