import { FETCH, READ, WRITE } from "../../mmu/access-kind.js";
import { PF_W, pteFrame } from "../../mmu/page-table-entry.js";
import { EFAULT } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { bringInOrKill } from "./bring-in.js";
import { faultForUser, handleFault } from "./fault.js";
import type { FaultForUser, FaultOutcome } from "./fault-outcome.js";
import { isHugetlb } from "./hugetlb/area.js";
import { TASK_SIZE } from "./layout.js";
import { isSecret } from "./secret-memory.js";
import { refuseSealed } from "./sealing/range.js";
import { unshare } from "./unshare.js";
import { VM_IO, VM_MAYREAD, VM_MAYWRITE, VM_PFNMAP, VM_READ, VM_SHARED, VM_WRITE } from "./vm-flags.js";
import { pageDown, type Word } from "./word.js";

/** More faults than this for one page means that handling makes no progress. */
const MAX_TRIES = 4;

/**
 * The kernel's own reads and writes of user memory (copy_from_user and friends). They go through the same page
 * walk as the program's and obey PKRU; a page that is not there is brought in; a refused one ends the copy, and
 * the bytes before it count.
 *
 * In foreign mode (ptrace, /proc/pid/mem, process_vm_readv) the address space need not be the active one, PKRU
 * does not count, and with `force` a private page is written though its area is not writable (FOLL_FORCE).
 */
export class UserMemory {
  /** Why the last access stopped, or null. */
  lastFault: FaultOutcome | null = null;

  constructor(
    readonly mm: AddressSpace,
    private readonly mode: {
      readonly foreign?: boolean;
      readonly force?: boolean;
      readonly atOnce?: boolean;
      /** What is read is pinned meanwhile (FOLL_PIN). */
      readonly pins?: boolean;
    } = {},
  ) {}

  /** Linear address of a byte after all checks, or -1. */
  private translate(va: number, write: boolean): number {
    if (!(va >= 0 && va < TASK_SIZE)) return -1;
    if (this.mode.foreign) return this.translateForeign(va, write);
    const { mmu } = this.mm.env;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const linear = mmu.access(va, write ? WRITE : READ, false);
      if (linear !== -1) return linear;
      const outcome = handleFault(this.mm, va, mmu.fault.errorCode, false);
      if (outcome.kind !== "resolved") return this.stopAt(outcome, write);
    }
    return -1;
  }

  /** The access cannot go on now. A read that may wait for a userfaultfd does not come back from here. */
  private stopAt(fault: FaultOutcome, write: boolean): -1 {
    this.lastFault = fault;
    const waits = write ? null : this.userfaultMet();
    if (waits !== null) this.mm.env.machine.userfaults?.wait(waits);
    return -1;
  }

  /**
   * The same memory for accesses that wait for no userfaultfd (fixup_user_fault without `unlocked`): they are refused.
   */
  withoutWaiting(): UserMemory {
    return this.mm.kernelWaits ? new UserMemory(this.mm, { ...this.mode, atOnce: true }) : this;
  }

  /** The fault that ended the last access, if a userfaultfd is to answer it. FOLL_FORCE's callers do not wait either. */
  private userfaultMet(): FaultForUser | null {
    const { lastFault } = this;
    if (this.mode.force === true || this.mode.atOnce === true) return null;
    return lastFault?.kind === "userfault" && !lastFault.context.userModeOnly ? lastFault : null;
  }

  /** A write has ended at a userfault: the bytes are written when that is answered. */
  private writesLater(va: number, bytes: Uint8Array): boolean {
    const fault = this.userfaultMet();
    const door = this.mm.env.machine.userfaults;
    if (fault === null || !door || pageDown(fault.address) !== pageDown(va)) return false;
    const copy = { memory: this, bytes: bytes.slice() };
    return door.later(fault, { mm: this.mm, va, write: true, copy });
  }

  /**
   * Before something that cannot be taken back and that reads this memory later: waits for a userfaultfd to fill it, and
   * the call is made from its start again. What cannot be read is passed over: the access itself will tell.
   */
  awaitReadable(va: Word, length: number): void {
    if (this.mm.kernelWaits) this.await(Number(va), length, false);
  }

  /** The same for memory that is written before somebody else may look at it. */
  awaitWritable(va: Word, length: number): void {
    if (this.mm.kernelWaits) this.await(Number(va), length, true);
  }

  private await(va: number, length: number, write: boolean): void {
    for (let at = va; at < va + length; at += 4096 - (at % 4096)) {
      if (this.translate(at, write) !== -1) continue;
      const fault = this.userfaultMet();
      if (fault !== null) this.mm.env.machine.userfaults?.wait(fault);
      return;
    }
  }

  private translateForeign(va: number, write: boolean): number {
    const { mm } = this;
    if (mm.findArea(va) === null) {
      // Only FOLL_FORCE's callers let a stack grow (__access_remote_vm).
      if (this.mode.force !== true) return -1;
      const outcome = handleFault(mm, va, write ? PF_W : 0, true);
      if (outcome.kind !== "resolved") return this.stopAt(outcome, write);
    }
    const area = mm.findArea(va);
    // What is no memory has no page to look at (check_vma_flags).
    if (area === null || (area.flags & (VM_IO | VM_PFNMAP)) !== 0 || isSecret(area)) return -1;
    const force = this.mode.force === true;
    if (write) {
      const permitted =
        (area.flags & VM_WRITE) !== 0 ||
        (force &&
          (area.flags & VM_SHARED) === 0 &&
          (area.flags & VM_MAYWRITE) !== 0 &&
          (mm.env.release.hugetlbForces || !isHugetlb(area)) &&
          this.sealsPermit(area, va));
      if (!permitted) return -1;
    } else if ((area.flags & VM_READ) === 0 && !(force && (area.flags & VM_MAYREAD) !== 0)) return -1;
    const outcome = bringInOrKill(mm, area, va, write);
    if (outcome !== "ok") {
      const fault = faultForUser(area, va, write, outcome);
      return fault === null ? -1 : this.stopAt(fault, write);
    }
    if (!write && this.mode.pins === true && unshare(mm, area, pageDown(va)) !== "ok") return -1;
    return mm.env.frames.memory.linearOf(pteFrame(mm.translations.low(va))) + (va % 4096);
  }

  /** Whether seals permit a forced write. */
  private sealsPermit(area: Area, va: number): boolean {
    const { mm } = this;
    const verdict = mm.env.sealing.mayForce(area, mm.env.machine);
    if (verdict !== null) refuseSealed(mm, "force", verdict, () => ({ area, address: pageDown(va) }));
    return verdict === null;
  }

  /** The frame that a byte lies in, after the checks of a read (get_user_pages); -1 when refused. */
  frameOf(va: number): number {
    const linear = this.isSecret(va) ? -1 : this.translate(va, false);
    return linear === -1 ? -1 : this.mm.env.frames.memory.frameOf(linear);
  }

  /** Memory of memfd_secret, which is copied to and from but never looked up. */
  isSecret(va: number): boolean {
    const area = this.mm.findArea(va);
    return area !== null && isSecret(area);
  }

  /** The range lies in user space (access_ok). */
  accessOk(va: Word, length: Word): boolean {
    return va <= TASK_SIZE && length <= TASK_SIZE && Number(va) + Number(length) <= TASK_SIZE;
  }

  /** Fills `destination` from user memory. @returns bytes copied before the first refused one */
  copyIn(va: Word, destination: Uint8Array): number {
    const { memory } = this.mm.env.frames;
    const start = Number(va);
    let done = 0;
    while (done < destination.length) {
      const at = start + done;
      const linear = this.translate(at, false);
      if (linear === -1) break;
      const part = Math.min(destination.length - done, 4096 - (at % 4096));
      destination.set(memory.u8.subarray(linear, linear + part), done);
      done += part;
    }
    return done;
  }

  /** Copies `source` to user memory. @returns bytes copied before the first refused one */
  copyOut(va: Word, source: Uint8Array): number {
    const { memory } = this.mm.env.frames;
    const start = Number(va);
    let done = 0;
    while (done < source.length) {
      const at = start + done;
      const part = Math.min(source.length - done, 4096 - (at % 4096));
      const linear = this.writable(at, part);
      if (linear !== -1) memory.u8.set(source.subarray(done, done + part), linear);
      else if (!this.writesLater(at, source.subarray(done, done + part))) break;
      done += part;
    }
    return done;
  }

  /** Zeroes user memory (clear_user). @returns bytes zeroed before the first refused one */
  clear(va: Word, length: number): number {
    const { memory } = this.mm.env.frames;
    const start = Number(va);
    let done = 0;
    while (done < length) {
      const at = start + done;
      const part = Math.min(length - done, 4096 - (at % 4096));
      const linear = this.writable(at, part);
      if (linear !== -1) memory.u8.fill(0, linear, linear + part);
      else if (!this.writesLater(at, new Uint8Array(part))) break;
      done += part;
    }
    return done;
  }

  /** Linear address for a write of `length` bytes inside one page, with decoded code there forgotten; or -1. */
  private writable(va: number, length: number): number {
    const { memory } = this.mm.env.frames;
    const linear = this.translate(va, true);
    if (linear !== -1) memory.aboutToWrite(memory.frameOf(linear), va % 4096, length);
    return linear;
  }

  /** All of [va, va + length), or -EFAULT. */
  read(va: Word, length: number): Uint8Array | number {
    const bytes = new Uint8Array(length);
    return this.copyIn(va, bytes) === length ? bytes : -EFAULT;
  }

  /** @returns false when not all could be written (what could, was) */
  writeBytes(va: Word, bytes: Uint8Array): boolean {
    return this.copyOut(va, bytes) === bytes.length;
  }

  /**
   * Bytes up to a NUL, at most `max`.
   * @returns the bytes without the NUL; null when memory ends first. A result of `max` bytes had no NUL in them.
   */
  readCStringBytes(va: Word, max: number): Uint8Array | null {
    const { u8 } = this.mm.env.frames.memory;
    const start = Number(va);
    const bytes: number[] = [];
    for (let at = start; bytes.length < max;) {
      let linear = this.translate(at, false);
      if (linear === -1) return null;
      const stop = Math.min(4096 - (at % 4096), max - bytes.length);
      for (let i = 0; i < stop; i++, linear++, at++) {
        if (u8[linear] === 0) return Uint8Array.from(bytes);
        bytes.push(u8[linear]);
      }
    }
    return Uint8Array.from(bytes);
  }

  /** As `readCStringBytes`, each byte one character (latin1), so that no byte is lost. */
  readCString(va: Word, max: number): string | null {
    const bytes = this.readCStringBytes(va, max);
    if (bytes === null) return null;
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }

  readU8(va: Word): number | null {
    return this.scalar(va, 1)?.getUint8(0) ?? null;
  }

  readU32(va: Word): number | null {
    return this.scalar(va, 4)?.getUint32(0, true) ?? null;
  }

  readI32(va: Word): number | null {
    return this.scalar(va, 4)?.getInt32(0, true) ?? null;
  }

  readU64(va: Word): bigint | null {
    return this.scalar(va, 8)?.getBigUint64(0, true) ?? null;
  }

  readI64(va: Word): bigint | null {
    return this.scalar(va, 8)?.getBigInt64(0, true) ?? null;
  }

  /** An unsigned 64-bit value: exact below 2^53, else rounded. */
  readNumber64(va: Word): number | null {
    const view = this.scalar(va, 8);
    return view === null ? null : view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  }

  private readonly scratch = new Uint8Array(8);
  private readonly view = new DataView(this.scratch.buffer);

  private scalar(va: Word, size: number): DataView | null {
    const part = size === 8 ? this.scratch : this.scratch.subarray(0, size);
    return this.copyIn(va, part) === size ? this.view : null;
  }

  writeU16(va: Word, value: number): boolean {
    this.view.setUint16(0, value, true);
    return this.putScalar(va, 2);
  }

  writeU32(va: Word, value: number): boolean {
    this.view.setUint32(0, value, true);
    return this.putScalar(va, 4);
  }

  writeI32(va: Word, value: number): boolean {
    return this.writeU32(va, value);
  }

  /** Any 64-bit value, signed or not; a number must be an integer. */
  writeU64(va: Word, value: Word): boolean {
    this.view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
    return this.putScalar(va, 8);
  }

  private putScalar(va: Word, size: number): boolean {
    return this.copyOut(va, this.scratch.subarray(0, size)) === size;
  }

  /** Whether the program could fetch an instruction there now; brings nothing in. */
  executable(va: number): boolean {
    return va < TASK_SIZE && this.mm.env.mmu.access(va, FETCH, false) !== -1;
  }
}
