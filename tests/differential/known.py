"""The differences between Trine and DynamoDB Local that are known and right, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A difference that is right.

    `ours` and `theirs` are patterns searched in the texts of the answers; `operation` and `what` (`differences` names
    them) are patterns that must match whole.
    """

    name: str
    reason: str
    ours: str = ""
    theirs: str = ""
    operation: str = ".*"
    what: str = ".*"


KNOWN = [
    Known("500", "Local fails inside on shapes that AWS refuses.", ours="^400 ", theirs="^500 "),
    Known(
        "types",
        "AWS's front refuses members of a wrong JSON type (SerializationException); Local takes or refuses them later.",
        ours="^400 SerializationException",
    ),
    Known("members", "Local leaves out the count of faults, or says it elsewhere.", ours="validation errors? detected"),
    Known(
        "numbers",
        "AWS's sentences for numbers (dynalite, Alternator); Local has its own.",
        ours="numeric value|significant digits|Number (over|under)flow",
        theirs="into a number|precision up to 38|Number (over|under)flow|magnitude",
    ),
    Known(
        "inner-numbers",
        "AWS normalises numbers inside documents and sets; Local keeps them there as they were written.",
        what="number-text",
    ),
    Known(
        "bounds",
        "Trine tells the bounds of BETWEEN as they are kept; Local as they were written.",
        ours="BETWEEN operator requires",
        theirs="BETWEEN operator requires",
    ),
    Known(
        "overlap",
        "AWS names the second of two overlapping paths; Local names one that does not overlap.",
        ours="Two document paths (overlap|conflict)",
        theirs="Two document paths (overlap|conflict)",
    ),
    Known("key", "AWS's sentence for a wrong Key.", ours="The provided key element does not match the schema"),
    Known("no-key", "AWS's sentence for an item without its key.", ours="Missing the key|Type mismatch for key"),
    Known(
        "index-key",
        "AWS names the index, the key and the types; Local does not, or lets it pass.",
        ours="Type mismatch for Index Key",
    ),
    Known("key-size", "AWS's sentences for long keys.", ours="Size of hashkey|size of all range keys"),
    Known("gsi-consistent", "AWS's sentence.", ours="Consistent reads are not supported on global secondary"),
    Known("start-key", "AWS's sentences for start keys; Local has others.", ours="starting key|start key"),
    Known("segment", "AWS's sentence.", ours="The Segment parameter is zero-based"),
    Known(
        "segment-of-key",
        "Which segment a key lies in depends on the hash, which is neither Local's nor AWS's.",
        theirs="Exclusive start key must lie within the segment",
    ),
    Known("duplicate", "The exception's name in AWS's model.", ours="DuplicateItemException"),
    Known(
        "type-set",
        "AWS names the same set of types for ADD and DELETE (seen in eu-west-2, 2026); Local names two.",
        ours="ALLOWED_FOR_ADD_OPERAND",
        theirs="ALLOWED_FOR_(ADD|DELETE)_OPERAND",
    ),
    Known(
        "empty-placeholders",
        "ExpressionAttributeNames or Values without an expression are refused also when they are empty.",
        ours="can only be specified when using expressions",
    ),
    Known(
        "key-before-condition",
        "Changes of a key attribute are refused before the condition is looked at; Local looks at the condition first.",
        ours="This attribute is part of the key|not allowed: IndexKey",
        theirs="ConditionalCheckFailed",
    ),
    Known(
        "cancelled",
        "What an item of a transaction cannot take is a cancellation with a reason; Local refuses the request.",
        ours="TransactionCanceledException.*ValidationError",
        theirs="^400 Validation",
    ),
    Known(
        "least-units",
        "A read of nothing costs its least on AWS (0.5 or 1); Local counts 0.",
        theirs='CapacityUnits": 0.0',
        what="capacity",
    ),
    Known(
        "unasked-units",
        "Local tells units of a DeleteItem that did not ask for them.",
        operation="DeleteItem",
        ours="^200 (?!.*ConsumedCapacity)",
        theirs="ConsumedCapacity",
        what="capacity",
    ),
    Known(
        "transaction-units",
        "AWS tells transactions' units of both kinds and two for each item; Local leaves out what it did not find.",
        operation="Transact.*",
        what="capacity",
    ),
    Known(
        "nothing-made",
        "An update that only removes makes no item, and takes paths into what is not there (Alternator, on AWS); Local "
        "makes an item of the key alone, or refuses the path.",
        operation="UpdateItem|TransactWriteItems|ExecuteStatement",
        what="nothing-made|status|error|reasons",
        theirs="^200|document path provided in the update",
        ours="^200|ConditionalCheckFailed|TransactionCanceled",
    ),
    Known(
        "nothing-made-told",
        "The same, when the update returns the item.",
        operation="UpdateItem",
        what="document",
        ours='^200 (?!.*"Attributes")',
        theirs=r'"Attributes": \{"p": \{"S": "[^"]*"\}, "s": \{"N": "[^"]*"\}\}',
    ),
    Known(
        "batch-read-units",
        "Keys without an item cost their least on AWS; Local leaves them out.",
        operation="BatchGetItem",
        what="capacity",
    ),
    Known(
        "batch-write-units",
        "A delete of what is not there costs one unit on AWS; Local counts two.",
        operation="BatchWriteItem",
        what="capacity",
    ),
    Known(
        "sparse-index-units",
        "An item without all attributes of an index's key is not in it and costs nothing there; Local counts a unit.",
        theirs='"by-g": {"CapacityUnits": ',
        what="capacity",
    ),
    Known("full-stop", "Local ends this sentence with a full stop.", ours="conditional request failed", what="reasons"),
    Known(
        "cancelled-list",
        "A reason for each item of the transaction, as AWS documents; Local stops at the first.",
        ours="TransactionCanceledException.*ValidationError",
        theirs="TransactionCanceledException.*ValidationError",
    ),
    Known("type-name", "AWS's short name of the type.", ours="not supported for the type [A-Z]{1,2}$"),
    Known("type-names", "The valid types come in another order.", ours="Invalid attribute type name found"),
    Known(
        "wrong-operand",
        "Two faults of one update: AWS looks at operands before it looks for the path; Local the other way.",
        ours="does not exist in the item|operand in the update expression has an incorrect",
        theirs="document path provided in the update",
    ),
    Known(
        "partiql-update-missing",
        "A PartiQL UPDATE needs its item (documented); Local evaluates it on nothing.",
        operation="ExecuteStatement",
        ours="ConditionalCheckFailedException",
    ),
    Known("partiql-syntax", "Local quotes the statement.", ours="Statement wasn't well formed"),
    Known(
        "batch-no-table", "AWS's sentence for BatchGetItem.", operation="Batch.*", ours="Requested resource not found"
    ),
    Known("twice", "An item may be named once in a transaction (documented).", ours="multiple operations on one item"),
    Known(
        "size-reserved", "SIZE is in AWS's list of reserved words; Local lets it pass.", ours="reserved keyword: size"
    ),
    Known(
        "partiql-scan-type",
        "A PartiQL read without a partition is a scan, and a scan with a value of another type finds nothing.",
        operation="ExecuteStatement",
        ours=r'^200 \{"Items": \[\]\}',
        theirs="Condition parameter type does not match schema type",
    ),
    Known(
        "between-one",
        "A page that ends at its limit has a LastEvaluatedKey; Local knows that BETWEEN equal bounds has no more.",
        operation="Query",
        what="document",
        ours="LastEvaluatedKey",
        theirs="^200 (?!.*LastEvaluatedKey)",
    ),
    Known(
        "minus-zero",
        "-0 is 0, so a set of both has duplicates; Local keeps them apart.",
        ours="Input collection contains duplicates",
    ),
    Known(
        "transaction-key-part",
        "A part of a key in a transaction's condition is refused as elsewhere; Local lets it pass there.",
        operation="TransactWriteItems",
        ours="ValidationError.*Key attributes must be scalars",
    ),
    Known(
        "key-of-nothing",
        "An update of an item that is not there sees the key attributes it is about to have; Local does not.",
        operation="UpdateItem|TransactWriteItems",
        ours="^200|ConditionalCheckFailed",
        theirs="refers to an attribute that does not exist in the item",
    ),
    Known(
        "index-key-deletion",
        "Elements of another type deleted from an index key that is not there change nothing; Local refuses them.",
        operation="UpdateItem",
        ours="^200",
        theirs="Updates on index keys must be of the same data type",
    ),
    Known(
        "two-faults",
        "Two faults in one request: which is told first differs, and AWS documents no order.",
        ours="^400 (Validation|Resource)",
        theirs="^400 (Validation|Resource)",
        what="message|error",
    ),
]
