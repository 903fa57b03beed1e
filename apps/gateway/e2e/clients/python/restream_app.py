"""A web app that answers its own callers with streams of the gateway.

Arguments: URL KEY. Prints its port. Under /bytes it hands on what comes as it comes, under /lines line by line.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

url, key = sys.argv[1:]


def by_bytes(answer):
    yield from answer.iter_content(chunk_size=None)


def by_lines(answer):
    for line in answer.iter_lines(decode_unicode=True):
        if line:
            yield f"{line}\n\n".encode()


WAYS = {"/bytes/chat/completions": by_bytes, "/lines/chat/completions": by_lines}


class App(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        with requests.post(url, data=body, headers=headers, stream=True, timeout=20) as answer:
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.end_headers()
            for piece in WAYS[self.path](answer):
                self.wfile.write(piece)

    def log_message(self, *_):
        pass


with ThreadingHTTPServer(("127.0.0.1", 0), App) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
