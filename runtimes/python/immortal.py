"""Lists the objects that are there when the component is built, so that they can be made immortal.

CPython counts the references to an object in the object, so to look at one is to write to its page,
which has to be copied then. It does not count those to objects that it takes to be immortal, like
None. Here every object of the snapshot may be: nothing of it needs to be freed by a program that runs
once. Only whoever writes the component can set the counts; see immortalize.py beside this directory.
"""

import gc
import struct
import types

# These come and go with calls.
LEFT_OUT = (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)


def listing():
    """The places of all objects, and of all types, as bytes that are easily found."""
    types_found = set()
    found = {}
    todo = gc.get_objects()
    own = {id(types_found), id(found), id(todo)}
    while todo:
        one = todo.pop()
        place = id(one)
        if place in found or place in own or isinstance(one, LEFT_OUT):
            continue
        found[place] = None
        types_found.add(id(type(one)))
        todo.extend(gc.get_referents(one))
    # Put together here: as a constant the mark would be found twice.
    mark = b"-".join([b"atoll", b"objects", b"are"])
    places = [len(found), len(types_found), *sorted(found), *sorted(types_found)]
    return mark + struct.pack(f"<{len(places)}I", *places)
