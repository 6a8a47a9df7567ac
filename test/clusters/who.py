"""Says whom the API server sees, of each line: a context's name, or "load" to read the
kubeconfig again. An answer is a line, too: JSON, or the client's error."""

import json
import sys

from kubernetes import client, config

clients = {}

for line in sys.stdin:
    context = line.strip()
    if context == "load":
        clients.clear()
        print("{}", flush=True)
        continue
    try:
        if context not in clients:
            clients[context] = config.new_client_from_config(context=context)
        # By hand: Debian's client is older than this API.
        review, _, _ = clients[context].call_api(
            "/apis/authentication.k8s.io/v1/selfsubjectreviews", "POST",
            header_params={"Content-Type": "application/json", "Accept": "application/json"},
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
            auth_settings=["BearerToken"], response_type="object")
        print(json.dumps(review["status"]["userInfo"]), flush=True)
    except client.ApiException as e:
        print(json.dumps({"code": e.status}), flush=True)
