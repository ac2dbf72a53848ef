/** How the kernel's own accesses to user memory wait for a userfaultfd's answer; kernel/userfault-copies.ts does it. */
import type { AddressSpace } from "../address-space.js";
import type { FaultForUser } from "../fault-outcome.js";
import type { UserMemory } from "../user-memory.js";
import type { UserfaultContext, UserfaultEvent } from "./context.js";

/** An access inside one page that is made when its page fault has been answered. */
export interface LateAccess {
  readonly mm: AddressSpace;
  readonly va: number;
  readonly write: boolean;
  /** What is copied, and by whom; null: the page is only to be there. */
  readonly copy: { readonly memory: UserMemory; readonly bytes: Uint8Array } | null;
}

export interface UserfaultDoor {
  /**
   * A read, or what has to be certain before something else is done: leaves what the kernel was doing, which is done
   * again from its start when the fault has been answered. Returns only where nobody may wait (a task that ends, a core
   * file, a debugger's look): then the access is refused.
   */
  wait(fault: FaultForUser): void;
  /**
   * A write: the kernel goes on, and the task does not, before what was to be written is.
   * @returns false where nobody may wait
   */
  later(fault: FaultForUser, access: LateAccess): boolean;
  /** An event: the kernel goes on, and the task does not before somebody has read of it. */
  tell(context: UserfaultContext, event: UserfaultEvent): void;
}
