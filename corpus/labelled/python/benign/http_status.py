# capabilities: none; resembles: http
from http import HTTPStatus

for status in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
    print(status.value, status.phrase)
