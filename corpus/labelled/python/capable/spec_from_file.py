# capabilities: dynamic-code; hidden by: importlib
import importlib.util

spec = importlib.util.spec_from_file_location("extra", "/nonexistent/extra.py")
if spec and spec.loader:
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
