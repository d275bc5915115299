"""What runs after every case: it must work as if nothing had happened."""
print("works")
