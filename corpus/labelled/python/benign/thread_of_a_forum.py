# capabilities: none; resembles: threads
class Thread:
    def __init__(self, title):
        self.title, self.posts = title, []

    def start(self, text):
        self.posts.append(text)
        return self


print(Thread("hello").start("first").posts)
