# capabilities: none; resembles: fork
class Chain:
    def __init__(self, blocks=()):
        self.blocks = list(blocks)

    def fork(self):
        return Chain(self.blocks)


main = Chain([1, 2])
branch = main.fork()
branch.blocks.append(3)
print(main.blocks, branch.blocks)
