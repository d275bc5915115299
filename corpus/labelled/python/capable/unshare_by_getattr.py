# capabilities: system-change; hidden by: getattr
import os

leave = getattr(os, "unshare", None)
if leave:
    leave(0)
