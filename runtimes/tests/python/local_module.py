import helper
from package import inner
print(helper.twice(21), inner.NAME, helper.__name__)
