# capabilities: network; hidden by: property
class Lazy:
    @property
    def tool(self):
        import http.client
        return http.client


Lazy().tool.HTTPConnection("example.invalid").request("GET", "/")
