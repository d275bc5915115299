# capabilities: files-write; hidden by: parameter
import os as kit


def call(tool):
    return tool.mkdir('/nonexistent/new')


print(call(kit))
