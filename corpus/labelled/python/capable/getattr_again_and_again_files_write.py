# capabilities: files-write; hidden by: getattr again and again
import functools
import shutil as kit

found = functools.reduce(getattr, ['move'], kit)
print(found('/nonexistent/a', '/nonexistent/b'))
