# capabilities: files-read; hidden by: walrus
import linecache as kit

if (go := kit.getline) is not None:
    print(go('/nonexistent/a', 1))
