/** What the CPU does to the memory, and what the kernel does for others. */

import { SYS } from "../../../userland/linux.js";
import { ACCESS, at, from } from "../operation.js";
import { call } from "./calls.js";
import type { Topic } from "./topic.js";

const CALLS = { pread64: 17, pwrite64: 18, process_vm_readv: 310, process_vm_writev: 311 };

const WORD = 8;
const FILLED = [call(SYS.write, from("pipeWrite"), from("buffer"), WORD)];

export const access: Topic = {
  name: "access",
  title: "reads, writes and fetches by the CPU, and copies by the kernel",
  windows: [0],
  probes: false,
  operations: [
    { name: "read", short: "read", text: "mov al, [p]", call: call(ACCESS.read, at()) },
    { name: "write", short: "write", text: "mov [p], eax", call: call(ACCESS.write, at()) },
    { name: "fetch", short: "fetch", text: "call p", call: call(ACCESS.fetch, at()) },
    {
      name: "read-untouched",
      short: "r new",
      text: "mov al, [p + 3 pages], never touched before",
      call: call(ACCESS.read, at(3)),
    },
    {
      name: "write-untouched",
      short: "w new",
      text: "mov [p + 3 pages], eax, never touched before",
      call: call(ACCESS.write, at(3)),
    },
    {
      name: "kernel-read",
      short: "sys rd",
      text: "write(pipe, p, 8): the kernel reads",
      call: call(SYS.write, from("pipeWrite"), at(), WORD),
    },
    {
      name: "kernel-write",
      short: "sys wr",
      text: "read(pipe, p, 8): the kernel writes",
      call: call(SYS.read, from("pipeRead"), at(), WORD),
      before: FILLED,
    },
    {
      name: "process_vm_readv",
      short: "vm_rdv",
      text: "process_vm_readv(itself, p, 8)",
      call: call(CALLS.process_vm_readv, from("process"), from("localVector"), 1, from("remoteVector"), 1, 0),
    },
    {
      name: "process_vm_writev",
      short: "vm_wrv",
      text: "process_vm_writev(itself, p, 8)",
      call: call(
        CALLS.process_vm_writev,
        from("process"),
        from("localVector"),
        1,
        from("remoteVector"),
        1,
        0,
      ),
    },
    {
      name: "mem-read",
      short: "mem rd",
      text: "pread(/proc/self/mem, 8, p)",
      call: call(CALLS.pread64, from("memoryFile"), from("buffer"), WORD, at()),
    },
    {
      name: "mem-write",
      short: "mem wr",
      text: "pwrite(/proc/self/mem, 8, p)",
      call: call(CALLS.pwrite64, from("memoryFile"), from("buffer"), WORD, at()),
    },
  ],
};
