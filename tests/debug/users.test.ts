import { describe, expect, it } from "vitest";
import { Machine } from "../../debug/machine.js";
import { findUser } from "../../debug/users.js";
import { Program } from "../../userland/index.js";

const PASSWD = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:100::/home/alice:/bin/sh\nbad:x:x:1::/:/bin/sh\n";
const GROUP = "root:x:0:\nusers:x:100:\nwheel:x:10:root,alice\naudio:x:29:alice\nfloppy:x:25:malice\n";
const user = (text: string) => findUser(text, PASSWD, GROUP);

describe("users of the guest", () => {
  it("have the groups that /etc/group gives them", () => {
    const alice = { uid: 1000, gid: 100, groups: [100, 10, 29], name: "alice", home: "/home/alice" };
    expect(user("alice")).toEqual(alice);
    expect(user("1000")).toEqual(alice);
    expect(user("alice:wheel")).toEqual({ ...alice, gid: 10, groups: [10, 29] });
    expect(user("alice:7")).toEqual({ ...alice, gid: 7, groups: [7, 10, 29] });
  });

  it("may be numbers that nothing names", () => {
    expect(user("77")).toEqual({ uid: 77, gid: 77, groups: [77], name: null, home: "/" });
    expect(user("77:88")).toEqual({ uid: 77, gid: 88, groups: [88], name: null, home: "/" });
  });

  it.each(["", "bob", "bad", "alice:", "alice:nobody", ":0", "1:2:3", "-1", "4294967295", "99999999999"])(
    "are not %j",
    (text) => expect(user(text)).toBeNull(),
  );
});

/** Ends with the low byte of what RAX holds. */
const END = `
  mov edi, eax
  mov eax, 231
  syscall
`;
const program = (code: string): Uint8Array => new Program().label("_start").code(code).build();

/** Runs a program to its end. */
function run(code: string, options: { user?: string; maxTasks?: number } = {}) {
  const machine = Machine.create({
    memoryBytes: 64 << 20,
    ...(options.maxTasks ? { maxTasks: options.maxTasks } : {}),
  });
  const found = options.user === undefined ? null : machine.findUser(options.user);
  machine.load(program(code), found === null ? {} : { user: found });
  return machine.run(50_000_000);
}

/** Children end at once, and nobody waits for them; it ends with their number. */
const FORK_UNTIL_REFUSED = `
    xor ebx, ebx
  again:
    mov eax, 57
    syscall
    test eax, eax
    js refused
    jz child
    inc ebx
    jmp again
  child:
    xor edi, edi
    mov eax, 231
    syscall
  refused:
    cmp eax, -11
    jne wrong
    mov eax, ebx
    ${END}
  wrong:
    mov eax, 255
    ${END}
`;

describe("a machine", () => {
  it("runs a program as a user of its /etc/passwd", () => {
    const exit = (code: number) => ({ reason: "exited", status: { code, signal: null } });
    expect(run(`mov eax, 102\nsyscall\n${END}`)).toMatchObject(exit(0));
    expect(run(`mov eax, 102\nsyscall\n${END}`, { user: "nobody" })).toMatchObject(exit(65534 & 255));
    expect(run(`mov eax, 104\nsyscall\n${END}`, { user: "7:9" })).toMatchObject(exit(9));
    // setuid(0) is refused.
    expect(run(`xor edi, edi\nmov eax, 105\nsyscall\n${END}`, { user: "7:9" })).toMatchObject(exit(255));
  });

  it("has no more tasks than it may have", () => {
    expect(run(FORK_UNTIL_REFUSED, { maxTasks: 12 })).toMatchObject({ status: { code: 11 } });
  });

  it("ends with SIGXCPU a program that has used its processor time", () => {
    const code = `
      push -1
      push 0
      mov eax, 160
      xor edi, edi
      mov rsi, rsp
      syscall
    forever:
      jmp forever
    `;
    expect(run(code)).toMatchObject({ reason: "exited", status: { signal: 24, core: false } });
  });
});
