# capabilities: none; resembles: platform
platform = {"x": 3, "width": 10}
player = {"x": 5}


def stands(player, platform):
    return platform["x"] <= player["x"] <= platform["x"] + platform["width"]


print(stands(player, platform))
