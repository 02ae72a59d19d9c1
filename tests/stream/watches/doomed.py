"""A process whose watch fires and which is killed then: `python -m tests.stream.watches.doomed URL told|untold`."""

import asyncio
import sys

from memory.redis.store import RedisStore
from stream.watches import state
from tests.patience import be_patient
from tests.stream.watches.test_watcher import a_watch, working

state._SAVE_EVERY = 3600.0  # what it knows is not written by the clock before it dies


def say(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(url, told):
    be_patient()
    store = RedisStore.connect(url, "eye")
    async with working(store.documents()) as work:
        if not told:

            async def never(_watch, _event):
                say("verifying")
                await asyncio.Event().wait()

            work.watcher._teller._verify = never
        await work.watcher.save(a_watch(refractory_s=0, verify=not told))
        await work.show(0, 1, 1)
        say("told")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] == "told"))
