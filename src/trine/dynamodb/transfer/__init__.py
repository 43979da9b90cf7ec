"""Whole tables to and from files: exports and imports, in AWS's formats.

In order: `buckets` (where S3 buckets lie here), `formats` (items to lines and back), `manifest` (what AWS writes beside
the data), `exports`, `imports`.
"""
