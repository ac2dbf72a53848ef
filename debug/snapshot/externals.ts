import {
  CONSOLE_DEVICE,
  FULL_DEVICE,
  NULL_DEVICE,
  PTMX_DEVICE,
  RANDOM_DEVICE,
  TTY_DEVICE,
  URANDOM_DEVICE,
  ZERO_DEVICE,
} from "../../kernel/fs/device-files.js";
import { LOOP_CONTROL_DEVICE } from "../../kernel/block/loop-uapi.js";
import { NO_STATUS } from "../../kernel/block/loop-device.js";
import { NO_DEVICE } from "../../kernel/fs/inode.js";
import { NO_CHAIN } from "../../kernel/mm/anon-vma.js";
import { UNKNOWN } from "../../kernel/net/message-queue.js";
import { NOBODY } from "../../kernel/net/sender-credentials.js";
import { NO_SOCKADDR } from "../../kernel/net/unix-socket.js";
import { FOR_EVER } from "../../syscalls/futex-wait.js";
import type { SealingModel } from "../../kernel/mm/sealing/sealing-model.js";
import { defaultSealing } from "../../kernel/mm/sealing/models.js";
import type { Machine } from "../machine.js";
import type { GraphRules } from "./graph-rules.js";
import { graphRules } from "./graph-rules.js";
import { HostLower } from "../../kernel/fs/host-lower.js";
import { Kernel } from "../../kernel/kernel.js";
import { UserMemory } from "../../kernel/mm/user-memory.js";

/** Constants of the kernel that machines refer to; they are never changed. */
const CONSTANTS: Readonly<Record<string, object>> = {
  NO_CHAIN,
  NO_DEVICE,
  NULL_DEVICE,
  ZERO_DEVICE,
  FULL_DEVICE,
  RANDOM_DEVICE,
  URANDOM_DEVICE,
  TTY_DEVICE,
  CONSOLE_DEVICE,
  PTMX_DEVICE,
  LOOP_CONTROL_DEVICE,
  NO_STATUS,
  NOBODY,
  UNKNOWN,
  NO_SOCKADDR,
  FOR_EVER,
};

/**
 * What a saved machine speaks of by name: it belongs to the machine that is made anew, or to its host.
 */
export function externalsOf(machine: Machine, sealing: SealingModel): Map<string, object> {
  const { kernel, host } = machine;
  const externals = new Map<string, object>([
    ["frames", kernel.frames],
    ["mmu", kernel.mmu],
    ["memory", kernel.memory],
    ["cpu", machine.cpu],
    ["registers", machine.cpu.registers],
    ["events", kernel.events],
    ["dispatch", kernel.dispatch],
    ["sealing", sealing],
    ["host", host],
    ["standard input", host.stdin],
    ...Object.entries(CONSTANTS),
  ]);
  if (host.fileSource) externals.set("files", host.fileSource);
  if (host.terminal) externals.set("terminal", host.terminal);
  return externals;
}

/** The model of sealing that a machine was made with. */
export function baseSealing(machine: Machine): SealingModel {
  return machine.kernel.sealing ?? defaultSealing;
}

/** As for a snapshot in place, but what is open on the host or tied to it is left out. */
export function fileRules(machine: Machine): GraphRules {
  const rules = graphRules(machine);
  const skippedFields = new Map(rules.skippedFields);
  skippedFields.set(HostLower.prototype, new Set(["files", "handles"]));
  skippedFields.set(UserMemory.prototype, new Set(["lastFault"]));
  const kernel = skippedFields.get(Kernel.prototype) ?? [];
  skippedFields.set(Kernel.prototype, new Set([...kernel, "outside"]));
  return { ...rules, skippedFields };
}
