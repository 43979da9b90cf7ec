"""Handlers of the function wing's tests: each does one thing that a function may do."""

import datetime
import decimal
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time

COUNT = 0


def hello(event, context):
    return {"hello": event.get("name", "world")}


def echo(event, context):
    return event


def count(event, context):
    global COUNT
    COUNT += 1
    return COUNT


def variables(event, context):
    return dict(os.environ)


def describe_context(event, context):
    client = context.client_context
    return {
        "function_name": context.function_name,
        "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "identity": context.identity.cognito_identity_id,
        "custom": None if client is None else client.custom,
        "remaining": context.get_remaining_time_in_millis(),
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "cwd": os.getcwd(),
    }


def loop_for_ever(event, context):
    while True:
        pass


def sleep(event, context):
    time.sleep(event["seconds"])
    return context.log_stream_name


def leave(event, context):
    os._exit(event.get("status", 3))


def exit_politely(event, context):
    sys.exit(event.get("status"))


def kill_self(event, context):
    os.kill(os.getpid(), 9)


def kill_parent(event, context):
    os.kill(os.getppid(), 9)
    time.sleep(5)


def kill_group(event, context):
    os.killpg(0, 9)


def fail(event, context):
    return inner(event)


def inner(event):
    raise ValueError("wröng: " + str(event.get("what")))


def decimals(event, context):
    return {"price": decimal.Decimal("12.340"), "big": decimal.Decimal("1E+3"), "list": [decimal.Decimal(7)]}


def datetimes(event, context):
    return {"now": datetime.datetime(2026, 11, 23)}


def large(event, context):
    return "x" * event["size"]


def write_lines(event, context):
    print("plain line ünïcode")
    logging.getLogger().warning("careful %s", "now")
    logging.getLogger("quiet").info("not shown")
    sys.stderr.write("to stderr\n")
    print("no newline at the end", end="")


def flood(event, context):
    for _ in range(event["lines"]):
        print("y" * 1000)
    return "done"


def close_streams(event, context):
    sys.stdout.close()
    os.close(1)
    return "closed"


def leave_children(event, context):
    child = subprocess.Popen(["sleep", "300"], start_new_session=True)
    daemon = subprocess.Popen(
        [sys.executable, "-c", "import os,time\nif os.fork() == 0:\n os.setsid()\n time.sleep(300)"],
        stdout=subprocess.DEVNULL,
    )
    daemon.wait()
    threading.Thread(target=time.sleep, args=(300,), daemon=False).start()
    return {"child": child.pid, "me": os.getpid()}


def files(event, context):
    path = os.path.join(tempfile.gettempdir(), "kept")
    existed = os.path.exists(path)
    with open(path, "w") as file:
        file.write("x")
    return {"existed": existed, "path": path}


def descriptors(event, context):
    return sorted(os.listdir("/proc/self/fd"))


def boto_version(event, context):
    import boto3

    return getattr(boto3, "__version__", None)


def caller_identity(event, context):
    import boto3

    return boto3.client("sts").get_caller_identity()["Arn"]


def bytes_answer(event, context):
    return json.dumps({"raw": True}).encode()


def sdk_pieces(event, context):
    import boto3
    import boto3.dynamodb.types
    import botocore.auth
    import botocore.awsrequest
    import botocore.client
    import botocore.endpoint
    import botocore.endpoint_provider
    import botocore.hooks
    import botocore.httpsession
    import botocore.parsers
    import botocore.regions
    import botocore.retries.standard
    import botocore.session
    import botocore.useragent
    import botocore.validate

    functions = {
        "agent": botocore.useragent.UserAgentString.to_string,
        "key": botocore.auth.SigV4Auth.signature,
        "sign": botocore.auth.SigV4Auth.add_auth,
        "wire": botocore.httpsession.URLLib3Session.send,
        "headers": botocore.awsrequest.HeadersDict.__getitem__,
        "endpoint": botocore.regions.EndpointRulesetResolver.construct_endpoint,
        "serialize": botocore.validate.ParamValidationDecorator.serialize_to_request,
        "parse": botocore.parsers.JSONParser._handle_json_body,
        "resource": boto3.dynamodb.types.TypeSerializer.serialize,
        "contexts": botocore.httpsession.create_urllib3_context,
        "credentials": botocore.session.Session.get_credentials,
        "rules": botocore.endpoint_provider.EndpointProvider.__init__,
        "events": botocore.hooks.EventAliaser.emit,
        "hooks": botocore.hooks.accepts_kwargs,
        "invocation": botocore.endpoint.Endpoint._update_retries_context,
        "retries": botocore.retries.standard.RetryHandler.needs_retry,
        "session": boto3._get_default_session,
        "straight": botocore.client.BaseClient._make_api_call,
    }
    found = [name for name, function in functions.items() if "trine_guest" in function.__module__]
    return [*found, "urls"] if hasattr(botocore.awsrequest._urljoin, "cache_info") else found
