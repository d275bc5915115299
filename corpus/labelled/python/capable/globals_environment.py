# capabilities: environment; hidden by: globals
import os as helper


def main():
    module = globals()['helper']
    return module.unsetenv('LEVEL')


print(main())
