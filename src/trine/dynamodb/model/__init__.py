"""What the table is about, as values: pure, without store or wire.

`number`, `attribute` (one value), `item` (its size and stored bytes), `key` (schemas and keys of requests), `table` and
`table_definition` (definitions and CreateTable's rules), `capacity` (units).
"""
