#!/usr/bin/env python3
"""Prints the profile in force and every change of bypass, over `headroom bridge files DIR`."""
import fcntl, json, os, sys, time

told, asked = (os.path.join(sys.argv[1], name) for name in ("backend.jsonl", "frontend.jsonl"))

def ask(method, **payload):
    with open(asked.replace(".jsonl", ".lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(asked, "r+") as file:  # opened under the lock: it may just have been rotated
            seq = json.loads(file.readlines()[-1])["seq"] + 1
            request = {"seq": seq, "type": "request", "method": method, "payload": payload}
            file.write(json.dumps(request) + "\n")
    return f"frontend-{seq}"

file = open(told, "rb")
file.seek(0, os.SEEK_END)  # only what comes from now on
status, subscribed = ask("status"), ask("subscribe", topics=["setting"])
while True:
    was_rotated = os.stat(told).st_ino != os.fstat(file.fileno()).st_ino
    at, line = file.tell(), file.readline()
    if not line.endswith(b"\n"):  # not there yet, or half of it
        time.sleep(0.05)
        file.seek(at) if not was_rotated else (file := open(told, "rb"))
        continue
    message = json.loads(line)
    payload, event = message.get("payload") or {}, message.get("method")
    if message.get("reply_to") == status:
        print("profile", payload["profile"], flush=True)
    elif message.get("reply_to") == subscribed or event in ("bridge.resubscribed", "setting.bypass_changed"):
        state = payload.get("snapshot") or payload["data"].get("snapshot")
        bypass = (state["setting"]["state"] if state else payload["data"])["bypass"]
        print("bypass is", "on" if bypass else "off", flush=True)
