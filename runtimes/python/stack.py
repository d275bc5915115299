"""Keeps the runner's frames out of what a program prints of its own stack."""

import inspect
import traceback


def hide(file):
    """Ends walks up the stack at the frames of a file."""
    walk = traceback.walk_stack

    def walk_stack(frame):
        if frame is None:
            import sys

            frame = sys._getframe(1)
        for frame, line in walk(frame):
            if frame.f_code.co_filename == file:
                return
            yield frame, line

    traceback.walk_stack = walk_stack
    outer = inspect.getouterframes

    def getouterframes(frame, context=1):
        frames = outer(frame, context)
        own = [at for at, info in enumerate(frames) if info.filename == file]
        return frames[: own[0]] if own else frames

    inspect.getouterframes = getouterframes
