"""The environments that functions run in: from a pool that wants one more to the last of its processes.

machinery       all pools of a service, and what they share
pool            a warm environment, or a new one
environment     its states: INIT → IDLE → INVOKE → …; `lifecycle` names them, and who hears of them
starter         makes one: credentials, log stream, folders, a process, a link to it
launch          the variables and folders it starts with; its program is asked of `runtimes`
interpreters    the zygote of each Python
zygote          a process with everything loaded, which forks the environments
process         the system's side of one: its processes, killed as a whole
snapshots       SnapStart: a frozen init, and the forks of it
output          what its processes write
control_groups  how the CPU is divided
memory, watch   what it holds, and what is done about it
haste           how long one may wait for a new one
network         a network of its own, for one from which nothing leads to the Internet; `resolver` is its DNS
"""
