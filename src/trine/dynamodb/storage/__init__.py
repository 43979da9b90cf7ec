"""The table's storage: the only rooms that open the key-value store.

In order: keyspace (where things lie), catalogue (documents by kind and name), tables (the live tables), indexes
(entries that follow an item), items (one item's transition and its commit), stream and expiry (what follows a change
besides), tokens (transactions that happened), source, pages and ranges (reading in order), backfill (new entries over
old items), backups (items of one moment), sweep (what time takes away).
"""
