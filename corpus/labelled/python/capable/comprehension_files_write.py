# capabilities: files-write; hidden by: comprehension
import shutil as kit

print([work('/nonexistent/a', '/nonexistent/b') for work in (kit.move,)])
