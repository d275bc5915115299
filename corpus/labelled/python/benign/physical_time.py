# capabilities: none; resembles: time
def fall(height, gravity=9.81):
    time = (2 * height / gravity) ** 0.5
    return round(time, 2)


print(fall(10))
