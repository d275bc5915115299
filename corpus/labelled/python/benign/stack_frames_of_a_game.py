# capabilities: none; resembles: frames
class Frame:
    def __init__(self, first, second):
        self.first, self.second = first, second

    @property
    def f_score(self):
        return self.first + self.second


frames = [Frame(3, 4), Frame(10, 0)]
print(sum(frame.f_score for frame in frames))
