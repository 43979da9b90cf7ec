"""Kinds of usage, a room for each: what a trace of it counts, how a group of them is counted, what AWS charges for it.

requests       at the front door: REST and HTTP APIs
sockets        events and messages of WebSocket APIs
invocations    of functions
table_calls    to tables, and reads of their streams
service_calls  to services that are charged by the call
known          all of them; a new kind is one new room and its line there

Each has `tally` (trace → rows), those that come in groups `count`, and `METERS`: service → what its counts turn.
"""
