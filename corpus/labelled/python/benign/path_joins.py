# capabilities: none; resembles: os
import os.path

parts = ["data", "2024", "report.csv"]
path = os.path.join(*parts)
print(os.path.splitext(path), os.path.basename(path), os.sep)
