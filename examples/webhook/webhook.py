"""Say over HTTP whether a model may be deployed: the report of assess(), as JSON.

    python webhook.py                           # or by another WSGI server: gunicorn webhook:answer
    curl http://127.0.0.1:8080/dirHash:135c8c5e48a33fcf49d15a6f22088c7ccdc4699a81f1a05626967b373a4c5759

The status is 200 for a yes, 403 for a no, 400 for what is no question. Attestations are kept in the store `evidence`:
`glasswing-attest store add evidence model.attestations.jsonl`. Nobody here reads the model, so the policy says
`declared: allow`, and whoever deploys it must see to it that it has the digest that was asked about.
"""

import json
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from glasswing_attest import Digest, GlasswingError, Manifest, Policy, Trust, Verifier

verifier = Verifier(policy=Policy.load("policy.yaml"), trust=Trust.load("trust.yaml"), evidence="evidence")


def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer a request; any number of threads may."""
    try:
        report = verifier.assess(Manifest.declared("model", Digest.parse(environ["PATH_INFO"].removeprefix("/"))))
        status, said = "200 OK" if report.accepted else "403 Forbidden", report.to_json()
    except GlasswingError as error:
        status, said = "400 Bad Request", json.dumps(error.to_dict())
    start_response(status, [("Content-Type", "application/json")])
    return [said.encode()]


if __name__ == "__main__":
    make_server("127.0.0.1", 8080, answer).serve_forever()
