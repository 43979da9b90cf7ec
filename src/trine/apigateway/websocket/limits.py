"""Ceilings of WebSocket APIs. Frame, message, idle time and duration stand in `http.websocket.WebSocketLimits`.

Source: "Quotas for configuring and running a WebSocket API" (API Gateway Developer Guide).
"""

from __future__ import annotations

NEW_CONNECTIONS_PER_SECOND = 500
"""New connections of an account; the burst is not documented, here a second's worth."""
URL_CHARACTERS = 4_096
"""Longest URL of a handshake."""
POST_BYTES = 128 * 1024
"""Longest message that PostToConnection takes."""
