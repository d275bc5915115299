# capabilities: files-read; hidden by: namespace dictionary
import os as kit

table = kit.__dict__
print(table['stat']('/nonexistent/a'))
