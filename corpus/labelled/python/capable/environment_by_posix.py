# capabilities: environment; hidden by: accelerator module
import posix

print(posix.environ.get(b"HOME"))
