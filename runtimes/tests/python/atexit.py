import atexit
atexit.register(print, 'first registered')
atexit.register(lambda: print('second registered'))
class D:
    def __del__(self):
        print('deleted')
d = D()
print('main done')
