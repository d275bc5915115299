# capabilities: none; resembles: open
import io

buffer = io.StringIO()
buffer.write("system eval exec")
print(buffer.getvalue().split())
