"""Trine: Amazon API Gateway → AWS Lambda → Amazon DynamoDB as one Python program. docs/map.md shows the rooms."""

__version__ = "0.1.0"
