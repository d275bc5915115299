# capabilities: files-read; hidden by: function default
import os as kit


def call(work=kit.listdir):
    return work('/nonexistent')


print(call())
