"""The statements of hosting, as steps (see ``db/database.py``). Called by the verbs beside this folder and the passes.

Every statement that moves a state names the states it may move from, so that two that race cannot both win.
"""
