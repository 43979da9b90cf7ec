"""CloudFormation's wing: template text becomes resolved resources, every one with its line.

In the child process `expand`: yaml_document | json_document → includes → sam. In the server, in order:
discovery → expansion (cache, child) → parameters → conditions → resources (names, kinds, intrinsics, graph) → checks;
`template` is the corridor. `manifest` and `lint` are asked separately. Import from the modules: this file stays empty
so that the child starts in milliseconds.
"""
