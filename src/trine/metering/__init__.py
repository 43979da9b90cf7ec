"""What each request consumed, what that costs, and how the system is doing: usage, prices, receipts, bills, measures.

Closed traces enter; rows of usage by the minute, measures, receipts and bills leave. Everything but the ledger's files
is pure. The wings fill in `Trace.usage` and `Trace.payer` in the words of `usage`; they never call anything else here.
"""
