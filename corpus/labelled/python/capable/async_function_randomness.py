# capabilities: randomness; hidden by: async function
import asyncio
import uuid as kit


async def work():
    return kit.uuid4()


print(asyncio.run(work()))
