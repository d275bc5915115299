# capabilities: files-read; hidden by: operator.attrgetter
import operator
import linecache as kit

fetch = operator.attrgetter('getline')
print(fetch(kit)('/nonexistent/a', 1))
