try:
    int('q')
except ValueError:
    [][1]
