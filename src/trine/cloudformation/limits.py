"""Ceilings of the template reader. Source unless said otherwise:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

TEMPLATE_SIZE_BYTES = 1_048_576  # "Template body size in an Amazon S3 object: 1 MB"
RESOURCES_PER_TEMPLATE = 500
PARAMETERS_PER_TEMPLATE = 200
OUTPUTS_PER_TEMPLATE = 200
MAPPINGS_PER_TEMPLATE = 200
PARAMETER_VALUE_BYTES = 4_096
STACK_NAME_CHARACTERS = 128

# Trine's own, so that a small text cannot become a large tree ("YAML bombs") nor exhaust the stack.
NODES_PER_TEMPLATE = 200_000
NESTING_DEPTH = 100
INCLUDED_FILES = 100
NESTED_STACK_DEPTH = 5
NESTED_STACKS_READ = 100
TEXT_CHARACTERS = 1_048_576  # of one text that Fn::Join, Fn::Sub or a dynamic reference makes: as long as a template
FAULTS_REPORTED = 200

EXPANSION_TIMEOUT_SECONDS = 30
LINT_TIMEOUT_SECONDS = 60
CACHE_ENTRIES = 32

LAMBDA_TIMEOUT_SECONDS = 900  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_MEMORY_MINIMUM_MB = 128
LAMBDA_MEMORY_MAXIMUM_MB = 10_240
LAMBDA_ENVIRONMENT_BYTES = 4_096
LAMBDA_LAYERS = 5
