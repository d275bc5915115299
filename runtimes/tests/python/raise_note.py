class Bad(Exception):
    pass


error = Bad('a', 2)
error.add_note('look here')
raise error
