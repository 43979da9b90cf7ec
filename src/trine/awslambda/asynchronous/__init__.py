"""Asynchronous invocation: events that are kept, tried, tried again and sent on.

event        one event, and when it is due
store        events on disk
invoke       the queue of one function
events       the queues of all functions, and their settings
destination  where an event's record goes when it was handled or given up
"""
