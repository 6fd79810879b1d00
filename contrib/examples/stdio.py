#!/usr/bin/env python3
"""Prints the profile in force and every change of bypass, over `headroom bridge stdio`."""
import json
from subprocess import PIPE, Popen

bridge = Popen(["headroom", "bridge", "stdio"], stdin=PIPE, stdout=PIPE, text=True)


def ask(number, op, **args):
    print(json.dumps({"id": number, "op": op, "args": args}), file=bridge.stdin, flush=True)


def show(settings):
    print("bypass is", "on" if settings["bypass"] else "off", flush=True)


ask(1, "status")
ask(2, "subscribe", topics=["setting"])
for line in bridge.stdout:
    message = json.loads(line)
    if "error" in message:
        print("refused:", message["error"]["message"], flush=True)
    elif message.get("id") == 1:
        print("profile", message["result"]["profile"], flush=True)
    elif message.get("id") == 2:
        show(message["result"]["snapshot"]["setting"]["state"])
    elif message.get("event") == "bypass_changed":
        show(message["data"])
    elif message.get("event") == "resubscribed":  # the daemon is back
        show(message["data"]["snapshot"]["setting"]["state"])
