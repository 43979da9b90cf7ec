"""The routes of a WebSocket API that have a meaning of their own."""

from __future__ import annotations

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"
