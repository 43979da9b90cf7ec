"""Auto scaling of provisioned tables and indexes: what templates say of it (`target`, `policy`) and what follows from
the minutes that have passed (`controller`). Pure; `storage.metering` moves it by the Clock.
"""
