# capabilities: none; resembles: http
import http

print(http.HTTPStatus(404).phrase)
