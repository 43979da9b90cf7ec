"""Words that all services share: errors, ARNs, ids, the wire protocols, and how wings meet (Invoker, Catalogue)."""
