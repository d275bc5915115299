# capabilities: none; resembles: traceback
class Failure(Exception):
    pass


try:
    try:
        raise KeyError("eval")
    except KeyError as error:
        raise Failure("wrapped") from error
except Failure as failure:
    print(failure, failure.__cause__)
