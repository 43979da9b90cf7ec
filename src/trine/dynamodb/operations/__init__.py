"""One file for each operation of the API, and the few rooms they share.

operation (what each is made of), parameters (expressions and what may not stand beside them), expect (keys, conditions
and return values of writes), consumed (what it cost), reading (what Query and Scan share), then the operations.
"""
