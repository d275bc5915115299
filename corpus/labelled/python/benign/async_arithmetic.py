# capabilities: none; resembles: threads
import asyncio


async def add(a, b):
    return a + b


async def main():
    print(await asyncio.gather(add(1, 2), add(3, 4)))


asyncio.run(main())
