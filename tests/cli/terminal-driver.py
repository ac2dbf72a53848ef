"""Runs a program on a terminal as a user would: waits for text, presses keys.

Standard input: {"argv", "steps": [[text to wait for, action, value], ...], "seconds"}; actions are "keys" (text),
"window" ([rows, columns]), "signal" (number), "stopped" (waits until the program has stopped, and lets it go on).
Standard output: what it printed, how it ended, and how the terminal's settings were at the steps that tell.
"""
import fcntl, json, os, select, signal, struct, subprocess, sys, termios, time

order = json.load(sys.stdin)
master, slave = os.openpty()
window = lambda rows, columns: fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
window(24, 80)
settings = lambda: repr(termios.tcgetattr(slave))
before = settings()


def control():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


child = subprocess.Popen(order["argv"], stdin=slave, stdout=slave, stderr=slave, preexec_fn=control)
output, seen, problems = b"", 0, []
end = time.time() + order["seconds"]


def read_more(seconds):
    global output
    if not select.select([master], [], [], seconds)[0]:
        return False
    output += os.read(master, 65536)
    return True


def sleeps():
    """Whether all its threads do: one that was about to read does by then. Only Linux tells."""
    try:
        tasks = "/proc/%d/task" % child.pid
        states = [open("%s/%s/stat" % (tasks, task)).read().rpartition(")")[2].split()[0] for task in os.listdir(tasks)]
        return all(state == "S" for state in states)
    except OSError:
        return True


for text, action, value in order["steps"]:
    text = text.encode("latin1")
    while text not in output[seen:] and time.time() < end and child.poll() is None:
        read_more(0.05)
    # The last words of a program that has ended.
    while text not in output[seen:] and read_more(0.05):
        pass
    if text not in output[seen:]:
        problems.append("no %r" % text)
        break
    seen += output[seen:].index(text) + len(text)
    if action == "keys":
        os.write(master, value.encode("latin1"))
    elif action == "window":
        # The program has to be in its read by then: a signal before it would not end it.
        time.sleep(0.2)
        times = 0
        while times < 6 and time.time() < end:
            time.sleep(0.05)
            times = times + 1 if sleeps() else 0
        window(*value)
    elif action == "signal":
        os.kill(child.pid, value)
    elif action == "stopped":
        os.waitpid(child.pid, os.WUNTRACED)
        problems += [] if settings() == before else ["settings differ while stopped"]
        os.kill(child.pid, signal.SIGCONT)
        while settings() == before and time.time() < end:
            read_more(0.05)
while child.poll() is None and time.time() < end:
    read_more(0.05)
if child.poll() is None:
    child.kill()
    problems.append("still running")
while read_more(0.05):
    pass
print(json.dumps({
    "output": output.decode("latin1"),
    "status": child.wait(),
    "restored": settings() == before,
    "problems": problems,
}))
