"""An event loop for asyncio where there are no sockets: timers and callbacks.

The usual loop wakes itself up through a pair of sockets. Here is one thread and nothing that could
wake it, so waiting is sleeping until the next timer.
"""

import asyncio
import asyncio.base_events
import time


class Timers:
    """In the place of a selector."""

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("the event loop waits for something that cannot happen here")
        if timeout > 0:
            time.sleep(timeout)
        return []

    def close(self):
        pass


class Loop(asyncio.base_events.BaseEventLoop):
    """Runs timers, callbacks and tasks."""

    def __init__(self, selector=None):
        super().__init__()
        self._selector = Timers()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass


def install():
    """Makes it the loop that asyncio makes."""
    asyncio.SelectorEventLoop = asyncio.EventLoop = Loop
    asyncio.events._event_loop_policy = None
    from asyncio import unix_events

    unix_events._DefaultEventLoopPolicy._loop_factory = Loop
    unix_events.SelectorEventLoop = unix_events.EventLoop = Loop
