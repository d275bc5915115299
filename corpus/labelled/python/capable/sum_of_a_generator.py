# capabilities: files-read; hidden by: comprehension
from pathlib import Path

total = sum(entry.stat().st_size for entry in Path("/nonexistent").rglob("*"))
print(total)
