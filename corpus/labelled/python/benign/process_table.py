# capabilities: none; resembles: subprocess
from collections import deque


class Process:
    def __init__(self, pid, burst):
        self.pid, self.burst = pid, burst


queue = deque([Process(1, 3), Process(2, 1)])
while queue:
    process = queue.popleft()
    process.burst -= 1
    if process.burst:
        queue.append(process)
    print(process.pid)
