"""A receiver of webhooks as applications write them: checks the signature, keeps the idempotency keys, does each thing once.

http_receiver.py PORT SECRET FOLDER: FOLDER/keys lists the keys, FOLDER/effects the things done, FOLDER/requests every request.
Every seventh request is refused with 503 and Retry-After, every eleventh is done and then answered with nothing.
"""
import hashlib
import hmac
import http.server
import json
import os
import sys

port, secret, folder = int(sys.argv[1]), sys.argv[2].encode(), sys.argv[3]
requests = 0


def note(name, line):
    with open(os.path.join(folder, name), "a", encoding="utf-8") as file:
        file.write(line + "\n")


def known(key):
    try:
        with open(os.path.join(folder, "keys"), encoding="utf-8") as file:
            return key in file.read().split()
    except FileNotFoundError:
        return False


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global requests
        requests += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        parts = dict(part.split("=", 1) for part in self.headers["Nurture-Signature"].split(","))
        expected = hmac.new(secret, parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        note("requests", key)
        if not hmac.compare_digest(expected, parts["v1"]):
            self.answer(401)
        elif requests % 7 == 0:
            self.answer(503, {"Retry-After": "1"})
        elif json.loads(body)["contact"] == "unwelcome":
            self.answer(422)
        else:
            if not known(key):
                note("effects", key)
                note("keys", key)
            if requests % 11 == 0:
                self.close_connection = True  # done, but the sender is not told
            else:
                self.answer(200)

    def answer(self, status, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
