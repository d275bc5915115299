# capabilities: dynamic-code; hidden by: runpy
import runpy

settings = runpy.run_path("/nonexistent/settings.py")
print(settings.get("DEBUG"))
