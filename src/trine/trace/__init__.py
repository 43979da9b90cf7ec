"""What happened to each request: `record` is one of them, `book` keeps the latest, `rows` the usual ones in short.

Every corridor opens a `Trace`, every room it calls adds one step, and a refusal says in its step's detail which
statement, route, limit or missing permission decided. `trine explain`, the waterfall, metrics and receipts are all
read from here.
"""

from trine.trace.book import Follower, TraceBook
from trine.trace.record import CHILDREN_MAX, Step, Trace, Way
from trine.trace.rows import Note

__all__ = ["CHILDREN_MAX", "Follower", "Note", "Step", "Trace", "TraceBook", "Way"]
