import sys


class Shape:
    def sides(self):
        return [str(side) for side in range(4)]


print(Shape().sides(), f"{sys.maxsize:.1f}", "end".upper())
