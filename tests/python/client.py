"""A client made from the proto files alone: shares, lists and watches over alerts.

    client.py --protos DIR (--socket PATH | --tls HOST:PORT --root PEM)
              --token FILE --equipe NAME --alerts FILE [--admin-socket PATH]

The alerts are JSON Lines, each with its own id. The last line printed is a JSON object with
what was found; whatever is not as it should be ends the program.
"""

import argparse
import importlib
import json
import pathlib
import sys
import tempfile

import grpc
from google.protobuf import json_format
from grpc_tools import protoc

DEADLINE_S = 60
FILES = ["alert/v1/alert.proto", "casework/v1/casework.proto"]
# Health and both versions of reflection, as the standard packages publish them.
REFLECTION = ["grpc.reflection.v1alpha", "grpc.reflection.v1"]

REFLECTION_PROTO = """
syntax = "proto3";
package {package};
service ServerReflection {{
  rpc ServerReflectionInfo(stream ServerReflectionRequest)
      returns (stream ServerReflectionResponse);
}}
message ServerReflectionRequest {{
  string host = 1;
  oneof message_request {{
    string file_containing_symbol = 4;
    string list_services = 7;
  }}
}}
message ServerReflectionResponse {{
  string valid_host = 1;
  oneof message_response {{
    FileDescriptorResponse file_descriptor_response = 4;
    ListServiceResponse list_services_response = 6;
    ErrorResponse error_response = 7;
  }}
}}
message FileDescriptorResponse {{ repeated bytes file_descriptor_proto = 1; }}
message ListServiceResponse {{ repeated ServiceResponse service = 1; }}
message ServiceResponse {{ string name = 1; }}
message ErrorResponse {{ int32 error_code = 1; string error_message = 2; }}
"""

HEALTH_PROTO = """
syntax = "proto3";
package grpc.health.v1;
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse {
  enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
  ServingStatus status = 1;
}
"""


def generate(protos, directory):
    """Makes Python of the node's protos and of the standard services."""
    standard = pathlib.Path(directory) / "standard"
    standard.mkdir()
    names = []
    for package in REFLECTION:
        name = package.replace(".", "_") + ".proto"
        (standard / name).write_text(REFLECTION_PROTO.format(package=package))
        names.append(name)
    (standard / "standard_health.proto").write_text(HEALTH_PROTO)
    names.append("standard_health.proto")
    include = str(pathlib.Path(protoc.__file__).parent / "_proto")
    failed = protoc.main(
        ["protoc", f"-I{protos}", f"-I{standard}", f"-I{include}",
         f"--python_out={directory}", f"--grpc_python_out={directory}"] + FILES + names)
    if failed:
        sys.exit("the protos do not compile")
    sys.path.insert(0, directory)


def channel_to(args):
    if args.socket:
        return grpc.insecure_channel(
            f"unix:{args.socket}", options=[("grpc.default_authority", "localhost")])
    root = pathlib.Path(args.root).read_bytes()
    return grpc.secure_channel(
        args.tls, grpc.ssl_channel_credentials(root_certificates=root),
        options=[("grpc.ssl_target_name_override", "localhost")])


def services(channel):
    """The services that reflection lists, the same in both versions."""
    found = []
    for package in REFLECTION:
        name = package.replace(".", "_")
        messages = importlib.import_module(f"{name}_pb2")
        stub = importlib.import_module(f"{name}_pb2_grpc").ServerReflectionStub(channel)
        ask = messages.ServerReflectionRequest(list_services="*")
        answer = next(iter(stub.ServerReflectionInfo(iter([ask]), timeout=DEADLINE_S)))
        names = sorted(one.name for one in answer.list_services_response.service)
        for service in names:
            ask = messages.ServerReflectionRequest(file_containing_symbol=service)
            answer = next(iter(stub.ServerReflectionInfo(iter([ask]), timeout=DEADLINE_S)))
            if not answer.file_descriptor_response.file_descriptor_proto:
                sys.exit(f"{package} does not describe {service}: {answer}")
        found.append(names)
    if found[0] != found[1]:
        sys.exit(f"the versions of reflection disagree: {found}")
    return found[0]


def healthy(channel, service):
    messages = importlib.import_module("standard_health_pb2")
    stub = importlib.import_module("standard_health_pb2_grpc").HealthStub(channel)
    answer = stub.Check(messages.HealthCheckRequest(service=service), timeout=DEADLINE_S)
    return answer.status == messages.HealthCheckResponse.SERVING


def refused(call):
    """The code and the stable reason of a call that must fail."""
    try:
        call()
    except grpc.RpcError as error:
        metadata = dict(error.trailing_metadata() or ())
        return [error.code().name, metadata.get("raccordo-reason", "")]
    return ["OK", ""]


def main():
    parser = argparse.ArgumentParser()
    for name in ["protos", "socket", "tls", "root", "token", "equipe", "alerts", "admin-socket"]:
        parser.add_argument(f"--{name}")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        generate(args.protos, directory)
        print(json.dumps(work(args)))


def work(args):
    alert_pb2 = importlib.import_module("alert.v1.alert_pb2")
    casework_pb2 = importlib.import_module("casework.v1.casework_pb2")
    stubs = importlib.import_module("casework.v1.casework_pb2_grpc")
    channel = channel_to(args)
    casework = stubs.CaseworkServiceStub(channel)
    token = pathlib.Path(args.token).read_text().strip()
    operator = {"metadata": [("authorization", f"Bearer {token}")], "timeout": DEADLINE_S}
    stranger = {"metadata": [("authorization", "Bearer nobody")], "timeout": DEADLINE_S}

    lines = pathlib.Path(args.alerts).read_text().splitlines()
    alerts = [json_format.Parse(line, alert_pb2.Alert()) for line in lines]
    request = casework_pb2.ShareAlertsRequest(equipe=args.equipe, alerts=alerts)
    answer = casework.ShareAlerts(request, **operator)
    if answer.violations:
        sys.exit(f"violations: {answer.violations}")
    ids = [shared.id for shared in answer.shared]
    again = casework.ShareAlerts(request, **operator)
    delivered = casework.AwaitDelivery(
        casework_pb2.AwaitDeliveryRequest(
            ids=ids, state=casework_pb2.DELIVERY_STATE_DELIVERED), **operator)

    listed, page_token = [], ""
    while True:
        page = casework.ListAlerts(
            casework_pb2.ListAlertsRequest(
                equipe=args.equipe, page_size=3, page_token=page_token), **operator)
        listed.extend(page.alerts)
        page_token = page.next_page_token
        if not page_token:
            break
    bodies = {record.id: record.body for record in listed}
    for alert in alerts:
        expected = alert_pb2.Alert()
        expected.CopyFrom(alert)
        expected.ClearField("id")
        if bodies.get(alert.id) != expected:
            sys.exit(f"{alert.id} was listed with another content")

    invalid = alert_pb2.Alert()
    invalid.case_alert.SetInParent()
    checked = casework.ShareAlerts(
        casework_pb2.ShareAlertsRequest(equipe=args.equipe, alerts=[invalid]), **operator)
    found = {
        "me": casework.WhoAmI(casework_pb2.WhoAmIRequest(), **operator).node_id,
        "shared": ids,
        "again": all(shared.already_shared for shared in again.shared),
        "recipients": list(answer.recipients),
        "delivered": sum(shared.delivery.delivered > 0 for shared in delivered.alerts),
        "listed": [record.id for record in listed],
        "violations": sorted({violation.reason for violation in checked.violations}),
        "stranger": refused(
            lambda: casework.WhoAmI(casework_pb2.WhoAmIRequest(), **stranger)),
        "no_equipe": refused(
            lambda: casework.ListAlerts(
                casework_pb2.ListAlertsRequest(equipe="none"), **operator)),
        "services": services(channel),
        "healthy": healthy(channel, "") and healthy(
            channel, "raccordo.casework.v1.CaseworkService"),
    }
    if args.admin_socket:
        admin = grpc.insecure_channel(
            f"unix:{args.admin_socket}", options=[("grpc.default_authority", "localhost")])
        found["admin_services"] = services(admin)
        found["admin_healthy"] = healthy(admin, "")
    return found


main()
