"""WebSocket APIs: a connection, its routes and its management. `sockets` is the corridor; see docs/websocket.md."""
