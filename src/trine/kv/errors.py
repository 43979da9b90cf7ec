"""What can go wrong with the ordered store, by name."""


class StoreError(Exception):
    """Any fault of the store; the operation it interrupted was not acknowledged and did not happen."""


class StoreFull(StoreError):
    """The disk, the map or a quota is full; nothing of the refused group was written."""


class StoreDamaged(StoreError):
    """A checksum, a header or the order of records is wrong; the message names the file and what to do."""


class StoreTooNew(StoreError):
    """The state was written by a newer Trine than this one."""


class StoreBusy(StoreError):
    """Another process owns this state directory; the message names its process id."""


class StoreClosed(StoreError):
    """The store has been closed."""
