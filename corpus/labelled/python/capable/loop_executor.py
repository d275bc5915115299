# capabilities: threads; hidden by: event loop
import asyncio


async def main():
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, sum, [1, 2]))


asyncio.run(main())
