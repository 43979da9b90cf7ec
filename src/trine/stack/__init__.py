"""One running stack: settings → ports → build → deploy → listeners; `stack` is the corridor, `run_file` tells."""
