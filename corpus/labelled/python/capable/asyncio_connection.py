# capabilities: network; hidden by: async function
import asyncio


async def fetch():
    reader, writer = await asyncio.open_connection("192.0.2.1", 80)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    return await reader.read()


asyncio.run(fetch())
