# -*- coding: latin-1 -*-
# capabilities: processes; hidden by: encoding cookie
import os

os.system("echo prêt")
