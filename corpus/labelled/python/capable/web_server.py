# capabilities: network; hidden by: subclass
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)


print(HTTPServer, Handler)
