"""CloudWatch Logs: groups of streams of events, written by functions, stages and clients, kept on disk, read back.

event          one event; what is known of a stream
segments       a group's files: batches of events, markers, rotation
group          one log group: memory for readers of now, files for readers of later
store          all groups
embedded       metrics inside log lines (EMF)
pattern*       filter patterns
reading        pages of events: GetLogEvents, FilterLogEvents
operations     the API's operations
endpoint       the door of the API
"""
