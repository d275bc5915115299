# capabilities: dynamic-code, introspection; hidden by: code object
import types


def template():
    return 1


body = template.__code__.replace(co_consts=(None, 42))
print(types.FunctionType(body, {})())
