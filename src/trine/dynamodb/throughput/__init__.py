"""The capacity model: who may read and write how fast. Pure but for the time that is passed in.

In order: `bucket` (units that refill), `partitions` (ceilings by range of the key's hash), `demand` (what an on-demand
table takes by now), `flow` (the reads or the writes of one table or index), `meter` (a table with its indexes),
`throttle` (AWS's refusals).
"""
