# capabilities: files-write; hidden by: __init_subclass__
import os


class Base:
    def __init_subclass__(cls):
        os.remove("/nonexistent/lock")


class Child(Base):
    pass
