# capabilities: files-read; hidden by: table of functions
import glob as kit

TABLE = {'sum': sum, 'other': kit.glob}


def handle(command):
    return TABLE[command]('/nonexistent/*')


print(handle('other'))
