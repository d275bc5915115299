import logging
logging.basicConfig(format='%(levelname)s %(funcName)s:%(lineno)d %(message)s', level=logging.INFO)


def f():
    logging.info('hello %s', 'x')
    logging.getLogger('a.b').warning('w')


f()
