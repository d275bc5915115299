# capabilities: threads; hidden by: parameter
import concurrent.futures as kit


def call(tool):
    return tool.ThreadPoolExecutor(2)


print(call(kit))
