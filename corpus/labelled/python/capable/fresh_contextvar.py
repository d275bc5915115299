# capabilities: threads; hidden by: executor map
from concurrent import futures

with futures.ThreadPoolExecutor(max_workers=2) as pool:
    print(list(pool.map(abs, [-1, 2])))
