try:
    {}['x']
except KeyError as error:
    raise ValueError('no x') from error
