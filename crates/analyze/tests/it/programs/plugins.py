import importlib
import pkgutil
import sys

import plugins
from .helpers import *

for _, name, _ in pkgutil.iter_modules(plugins.__path__):
    module = importlib.import_module(f"plugins.{name}")
    getattr(module, sys.argv[1])()
    getattr(sys, sys.argv[2])()
