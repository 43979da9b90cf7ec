"""Networks: VPCs, routes, endpoints and security groups of a template, and what a function in them can reach."""
