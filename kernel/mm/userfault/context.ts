/** What a userfaultfd is to the address space that it watches (struct userfaultfd_ctx). */
import { PAGE_SIZE } from "../../../mmu/layout.js";
import { WaitQueue, type Waiter } from "../../wait-queue.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { VM_UFFD_FLAGS, withFlags } from "../vm-flags.js";
import { pageBytesOf } from "../hugetlb/area.js";
import { UFFD_FEATURE_EXACT_ADDRESS, UFFD_FEATURE_THREAD_ID, UFFD_FEATURE_WP_ASYNC } from "./uapi.js";
import { UFFD_FEATURE_WP_UNPOPULATED } from "./uapi.js";

/** A thread that sleeps over its fault until somebody answers it (struct userfaultfd_wait_queue). */
export interface UserfaultWait {
  readonly sleeper: Waiter;
  /** What read(2) tells: the page's address or, with EXACT_ADDRESS, the very byte's. */
  readonly address: number;
  /** UFFD_PAGEFAULT_FLAG_*. */
  readonly flags: number;
  /** 0 unless thread numbers are asked for. */
  readonly tid: number;
  /** It was told to a reader. */
  told: boolean;
  /** It may try again. */
  woken: boolean;
}

/** A change of the address space that is told before the call that made it ends (struct userfaultfd_wait_queue). */
export interface UserfaultEvent {
  readonly event: number;
  /** The message's three words. */
  readonly words: readonly [number, number, number];
  /** Of a fork: what watches the child. */
  readonly child: UserfaultContext | null;
  /** The reader's descriptor for that; -1 before there is one. */
  descriptor: number;
  readonly sleepers: Waiter[];
  /** It was told. */
  woken: boolean;
}

export class UserfaultContext {
  /** UFFD_FEATURE_* chosen with UFFDIO_API; null before. */
  features: number | null = null;
  /** Its file is closed: nobody will answer. */
  released = false;
  /** In the order in which they came. */
  readonly waits: UserfaultWait[] = [];
  /** Events that nobody has been told of; whoever caused them waits for that. */
  readonly events: UserfaultEvent[] = [];
  /** Events of changes that are going on, told or not: pages are not filled meanwhile (mmap_changing). */
  changing = 0;
  /** Readers. */
  readonly queue = new WaitQueue();

  /**
   * @param userModeOnly the kernel's own accesses are refused where the program's would wait
   * @param parent what watches the address space that this one was forked from
   */
  constructor(
    readonly mm: AddressSpace,
    readonly userModeOnly: boolean,
    readonly parent: UserfaultContext | null = null,
  ) {
    if (!userModeOnly) mm.kernelWaits = true;
  }

  has(feature: number): boolean {
    return ((this.features ?? 0) & feature) !== 0;
  }

  /** A write to a protected page lifts the protection and wakes nobody. */
  get isAsync(): boolean {
    return this.has(UFFD_FEATURE_WP_ASYNC);
  }

  /** Pages that are not there can be write-protected (userfaultfd_wp_use_markers). */
  marksEmpty(area: Area): boolean {
    return !area.isAnonymous || this.has(UFFD_FEATURE_WP_UNPOPULATED);
  }

  /** A thread begins to wait. @param address the byte that it touched */
  sleep(sleeper: Waiter, tid: number, address: number, flags: number): UserfaultWait {
    const told = this.has(UFFD_FEATURE_EXACT_ADDRESS)
      ? address
      : address - (address % this.pageBytes(address));
    const wait = {
      sleeper,
      address: told,
      flags,
      tid: this.has(UFFD_FEATURE_THREAD_ID) ? tid : 0,
      told: false,
      woken: false,
    };
    this.waits.push(wait);
    this.queue.wake();
    return wait;
  }

  private pageBytes(address: number): number {
    const area = this.mm.findArea(address);
    return area === null ? PAGE_SIZE : pageBytesOf(area);
  }

  /** It waits no more: answered, or a signal came. */
  leave(wait: UserfaultWait | UserfaultEvent): void {
    remove<UserfaultWait | UserfaultEvent>("event" in wait ? this.events : this.waits, wait);
  }

  /** A reader has been told: whoever caused the event goes on. */
  told(event: UserfaultEvent): void {
    remove(this.events, event);
    event.woken = true;
    for (const sleeper of event.sleepers) sleeper.wake(0);
  }

  /** There is something to be read. */
  get isReadable(): boolean {
    return this.pending !== null || this.events.length > 0;
  }

  /** The oldest that nobody has been told of. */
  get pending(): UserfaultWait | null {
    return this.waits.find((wait) => !wait.told && !wait.woken) ?? null;
  }

  /** Lets those try again who wait for [start, end) bytes (wake_userfault). */
  wake(start: number, end: number): void {
    for (const wait of this.waits) {
      if (wait.address < start || wait.address >= end) continue;
      wait.woken = true;
      wait.sleeper.wake(0);
    }
  }
}

/** The area has nothing to do with userfaultfd any more; its entries are the caller's (userfaultfd_reset_ctx). */
export function forgetUserfault(area: Area): void {
  if (area.userfault === null) return;
  area.userfault = null;
  area.flags = withFlags(area.flags, 0, VM_UFFD_FLAGS);
}

function remove<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at >= 0) list.splice(at, 1);
}
