# capabilities: system-information; hidden by: parameter
import pwd as kit


def call(tool):
    return tool.getpwall()


print(call(kit))
