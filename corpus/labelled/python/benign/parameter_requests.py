# capabilities: none; resembles: requests as parameter
def scale(requests, factor=2):
    return [requests * factor, requests + factor]


print(scale(4), scale(requests=5))
