"""What the hosts on one Redis call themselves in Ray."""

from memory.documents import DocumentStore, Entry
from web.identifiers import new_id

_KIND = "cluster"
_PLACES = 8


async def cluster_name(documents: DocumentStore, now: float) -> str:
    """Return what the hosts on one Redis call themselves in Ray; the first of them makes it up.

    Two clusters on one Ray do not meet, and hosts need not be told which one they belong to.

    Raises:
        StoreUnavailable: If Redis cannot be reached.
    """
    if not await documents.lowest(_KIND, 1):
        await documents.put(_KIND, Entry(new_id("cluster"), now, {}), _PLACES)
    # Read again: of several hosts that began together all find the same one.
    [first, *_] = await documents.lowest(_KIND, 1)
    return f"flashback-{first.key}"
