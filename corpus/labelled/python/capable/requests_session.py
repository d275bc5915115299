# capabilities: network; hidden by: instance attribute
import requests


class Client:
    def __init__(self):
        self.session = requests.Session()

    def post(self, data):
        return self.session.post("http://example.invalid/", json=data)


Client().post({"a": 1})
