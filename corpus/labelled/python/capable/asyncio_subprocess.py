# capabilities: processes; hidden by: async function
from asyncio import create_subprocess_shell, run


async def main():
    process = await create_subprocess_shell("echo ready")
    await process.wait()


run(main())
