import random, secrets, uuid, os
random.seed(4)
print(random.random(), random.sample(range(100), 3), len(secrets.token_hex(8)), uuid.uuid4().version, len(os.urandom(9)))
