# capabilities: introspection; hidden by: globals
import sys as helper


def main():
    module = globals()['helper']
    return module._getframe()


print(main())
