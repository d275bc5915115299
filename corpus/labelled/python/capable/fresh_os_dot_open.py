# capabilities: files-read, files-write; hidden by: low-level functions
from os import O_CREAT, O_WRONLY
from os import open as low

print(low("/nonexistent/a", O_CREAT | O_WRONLY))
