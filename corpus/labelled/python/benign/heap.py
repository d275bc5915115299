# capabilities: none; resembles: nothing
import heapq

tasks = [(3, "exec"), (1, "fork"), (2, "kill")]
heapq.heapify(tasks)
while tasks:
    print(heapq.heappop(tasks))
