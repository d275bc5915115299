import asyncio


async def work(n):
    await asyncio.sleep(0.01 * n)
    print('done', n)
    return n


async def main():
    print(await asyncio.gather(*(work(n) for n in (3, 1, 2))))
    try:
        await asyncio.wait_for(asyncio.sleep(1), 0.01)
    except TimeoutError:
        print('timeout')
    queue = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        group.create_task(queue.put(5))
        task = group.create_task(queue.get())
    print(task.result())


asyncio.run(main())
