"""The command line: `main` finds a command, each command is one module; `client` talks to a running stack."""
