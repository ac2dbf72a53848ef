import { FETCH, WRITE, type AccessKind } from "./access-kind.js";
import { PAGE_SIZE, RAM_BASE } from "./layout.js";
import {
  LEAF_1G_RESERVED_LOW,
  LEAF_2M_RESERVED_LOW,
  PF_I,
  PF_P,
  PF_PK,
  PF_RSVD,
  PF_U,
  PF_W,
  PTE_A,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_NX,
  PTE_P,
  PTE_PS,
  PTE_RESERVED_HIGH,
  PTE_RW,
  PTE_US,
  pkruDeniesAccess,
  pkruDeniesWrite,
  pteKey,
} from "./page-table-entry.js";
import type { PhysicalMemory } from "./physical-memory.js";
import type { PageFrame, ProtectionKey } from "./types.js";

/** The control-register bits that paging depends on. */
export interface PagingControls {
  /** CR4.PKE: protection keys are checked. */
  pke: boolean;
  /** EFER.NXE: bit 63 forbids fetches (otherwise it is reserved). */
  nxe: boolean;
  /** CR0.WP: read-only pages and PKRU's write-disable bind the supervisor too. */
  wp: boolean;
}

/** One paging-structure entry met on the way; level 4 is the PML4, level 1 the page table. */
export interface WalkLevel {
  readonly level: 1 | 2 | 3 | 4;
  readonly index: number;
  /** Linear address of the entry. */
  readonly entryAddress: number;
  /** The entry as it was before the walk. */
  readonly low: number;
  readonly high: number;
  /** The low half as the access leaves it (accessed and dirty bits). */
  readonly newLow: number;
}

export interface WalkResult {
  /** Top down, as far as the walk came. */
  readonly levels: readonly WalkLevel[];
  /** "gp": not canonical. "page-fault": errorCode says why. */
  readonly outcome: "ok" | "page-fault" | "gp";
  readonly errorCode: number;
  /** Linear address of the byte, or -1. */
  readonly linear: number;
  readonly key: ProtectionKey;
}

/**
 * The walk as the architecture describes it (SDM vol. 3A 4.5 to 4.8), on all 64 bits of the address and without
 * changing anything: for tests, views and explanations. `Mmu.access` is the fast version of the same.
 *
 * Accessed bits: set in every present, well-formed upper entry the walk goes through, even if a lower one
 * faults; in the leaf (with the dirty bit for a write) only when the access is permitted.
 */
export function walk(
  memory: PhysicalMemory,
  root: PageFrame,
  addressHigh: number,
  addressLow: number,
  kind: AccessKind,
  user: boolean,
  controls: PagingControls,
  pkru: number,
): WalkResult {
  const levels: WalkLevel[] = [];
  const sign = addressHigh >> 15;
  if (sign !== 0 && sign !== -1) return { levels, outcome: "gp", errorCode: 0, linear: -1, key: 0 };

  const base = (kind === WRITE ? PF_W : 0) | (user ? PF_U : 0) | (kind === FETCH && controls.nxe ? PF_I : 0);
  const fault = (bits: number, key: ProtectionKey = 0): WalkResult => ({
    levels,
    outcome: "page-fault",
    errorCode: base | bits,
    linear: -1,
    key,
  });
  const reservedHigh = (PTE_RESERVED_HIGH | (controls.nxe ? 0 : PTE_NX)) >>> 0;

  let table = root;
  let allUser = PTE_US;
  let allWritable = PTE_RW;
  let anyNx = false;
  for (let level = 4; ; level--) {
    const index =
      (level === 4
        ? addressHigh >>> 7
        : level === 3
          ? (addressHigh << 2) | (addressLow >>> 30)
          : addressLow >>> (level === 2 ? 21 : 12)) & 511;
    const entryAddress = RAM_BASE + table * PAGE_SIZE + index * 8;
    // Nothing answers beyond the end of RAM; the bus reads as ones.
    const there = table < memory.frameCount;
    const low = there ? memory.u32[entryAddress >>> 2] : 0xffffffff;
    const high = there ? memory.u32[(entryAddress >>> 2) + 1] : 0xffffffff;
    const entry = { level: level as WalkLevel["level"], index, entryAddress, low, high, newLow: low };
    levels.push(entry);
    if ((low & PTE_P) === 0) return fault(0);
    const large = level > 1 && (low & PTE_PS) !== 0;
    const reservedLow =
      level === 4 ? PTE_PS : large ? (level === 3 ? LEAF_1G_RESERVED_LOW : LEAF_2M_RESERVED_LOW) : 0;
    if ((high & reservedHigh) !== 0 || (low & reservedLow) !== 0) return fault(PF_P | PF_RSVD);
    allUser &= low;
    allWritable &= low;
    anyNx ||= (high & PTE_NX) !== 0;
    if (level > 1 && !large) {
      entry.newLow = (low | PTE_A) >>> 0;
      table = low >>> 12;
      continue;
    }

    const key = pteKey(high);
    const offsetBits = level === 1 ? 12 : level === 2 ? 21 : 30;
    const frameBytes = ((low & PTE_FRAME_MASK) >>> offsetBits) * 2 ** offsetBits;
    const physical = frameBytes + (addressLow & (2 ** offsetBits - 1));
    const denied = leafDenial(kind, user, allUser !== 0, allWritable !== 0, anyNx, key, controls, pkru);
    if (denied !== 0) return fault(PF_P | (denied & PF_PK), key);
    if (physical >= memory.ramBytes) return fault(PF_P | PF_RSVD, key);
    entry.newLow = (low | PTE_A | (kind === WRITE ? PTE_D : 0)) >>> 0;
    return { levels, outcome: "ok", errorCode: 0, linear: RAM_BASE + physical, key };
  }
}

/**
 * The permission check at the leaf, SDM vol. 3A 4.6.
 * @returns 0 when permitted; PF_P for an ordinary violation; with PF_PK when the key forbids it (both may hold)
 */
export function leafDenial(
  kind: AccessKind,
  user: boolean,
  userPage: boolean,
  writable: boolean,
  noExecute: boolean,
  key: ProtectionKey,
  controls: PagingControls,
  pkru: number,
): number {
  if (user && !userPage) return PF_P;
  if (kind === FETCH) return noExecute ? PF_P : 0;
  let denial = 0;
  const binding = user || controls.wp;
  if (kind === WRITE && !writable && binding) denial = PF_P;
  if (controls.pke && userPage) {
    if (pkruDeniesAccess(pkru, key)) denial |= PF_P | PF_PK;
    else if (kind === WRITE && binding && pkruDeniesWrite(pkru, key)) denial |= PF_P | PF_PK;
  }
  return denial;
}
