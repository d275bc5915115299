# capabilities: none; resembles: requests
requests = [{"floor": 3}, {"floor": 1}]
requests.sort(key=lambda request: request["floor"])
for request in requests:
    print(request.get("floor"))
