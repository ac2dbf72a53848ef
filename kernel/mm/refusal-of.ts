import { pteFrame } from "../../mmu/page-table-entry.js";
import type { ProtectionKey } from "../../mmu/types.js";
import { walk } from "../../mmu/walk.js";
import type { PathEntry, Refusal } from "../refusal.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";

/** What an operation says when it refuses; the address space adds who, where and the page-table path. */
export interface RefusalDetails {
  readonly text: string;
  readonly source: string;
  readonly area?: Area | null;
  readonly address?: number;
  readonly key?: ProtectionKey;
  /** PKRU mattered: name its value and who wrote it. */
  readonly pkru?: boolean;
  readonly sealing?: Refusal["sealing"];
  readonly applied?: string;
}

/** The refusal as listeners get it: with the call, the area, the page-table path and who wrote PKRU. */
export function refusalOf(mm: AddressSpace, rule: string, errno: number, details: RefusalDetails): Refusal {
  const { machine } = mm.env;
  const syscall = machine.syscall();
  const writer = details.pkru ? machine.pkruWrittenBy() : undefined;
  return {
    rule,
    errno,
    ...(syscall === undefined ? {} : { syscall }),
    ...(details.area ? { area: mm.snapshotArea(details.area) } : {}),
    ...(details.address === undefined
      ? {}
      : { address: details.address, path: pageTablePath(mm, details.address) }),
    ...(details.key === undefined ? {} : { key: details.key }),
    ...(details.pkru ? { pkru: machine.pkru() } : {}),
    ...(writer ? { pkruWrittenBy: writer } : {}),
    ...(details.sealing === undefined ? {} : { sealing: details.sealing }),
    ...(details.applied === undefined ? {} : { applied: details.applied }),
    text: details.text,
    source: details.source,
  };
}

/** The entries that translate an address, top down, as far as they exist. */
function pageTablePath(mm: AddressSpace, va: number): PathEntry[] {
  const { frames, mmu } = mm.env;
  const high = Math.floor(va / 0x1_0000_0000);
  const found = walk(frames.memory, mm.tables.root, high, va >>> 0, 0, true, mmu.features, 0);
  return found.levels.map(({ level, index, low, high: highHalf }) => ({
    level,
    index,
    low,
    high: highHalf,
    frame: pteFrame(low),
  }));
}
