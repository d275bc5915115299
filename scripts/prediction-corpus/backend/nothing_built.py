"""A build backend that builds nothing.

The registry's client asks an archive's build backend for metadata before it hands the archive out.
This one answers from the archive's own PKG-INFO, so that nothing of the archive is executed.
"""

import os
import re


def get_requires_for_build_wheel(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    with open("PKG-INFO", "rb") as file:
        text = file.read()
    name, version = (
        re.search(rb"^%s: *(\S+)" % field, text, re.MULTILINE)[1].decode()
        for field in (b"Name", b"Version")
    )
    directory = f"{name.replace('-', '_')}-{version}.dist-info"
    os.makedirs(os.path.join(metadata_directory, directory))
    with open(os.path.join(metadata_directory, directory, "METADATA"), "wb") as file:
        file.write(text)
    return directory
