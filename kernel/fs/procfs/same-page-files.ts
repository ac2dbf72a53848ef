import { EBUSY, EINVAL } from "../../errno.js";
import type { Kernel } from "../../kernel.js";
import type { AddressSpace } from "../../mm/address-space.js";
import { VM_MERGEABLE } from "../../mm/vm-flags.js";
import { file } from "./file-system.js";
import type { Node } from "./file-system.js";
import { rememberedInteger } from "./settings.js";

const UNSIGNED_MOST = 0xffff_ffff;

/** A number that can be written; `set` may refuse it with a negative errno. */
function setting(get: () => number, set: (value: number) => number, least = 0, most = UNSIGNED_MOST): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${get()}\n`,
    write: (text) => {
      const word = text.replace(/\0.*$/s, "").replace(/\n$/, "");
      if (!/^\+?\d+$/.test(word)) return -EINVAL;
      const value = Number(word);
      return value < least || value > most ? -EINVAL : set(value);
    },
  };
}

/** Yes or no, in the words that kstrtobool knows. */
function choice(get: () => boolean, set: (value: boolean) => void): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => (get() ? "1\n" : "0\n"),
    write: (text) => {
      const word = /^(?:[yYtT1]|[oO][nN])/.test(text)
        ? true
        : /^(?:[nNfF0]|[oO][fF])/.test(text)
          ? false
          : null;
      if (word === null) return -EINVAL;
      set(word);
      return 0;
    },
  };
}

/** /sys/kernel/mm/ksm. */
export function samePageMerging({ samePages, tunables }: Kernel): Record<string, Node> {
  const { settings } = samePages;
  const counter = (get: () => number): Node => file(() => `${get()}\n`);
  const keep = (set: (value: number) => void) => (value: number) => {
    set(value);
    return 0;
  };
  return {
    advisor_mode: file(() => "[none] scan-time\n"),
    full_scans: counter(() => samePages.fullScans),
    general_profit: counter(() => samePages.generalProfit),
    ksm_zero_pages: counter(() => samePages.zeroPages),
    max_page_sharing: setting(
      () => settings.maxPageSharing,
      (value) => {
        if (settings.maxPageSharing === value) return 0;
        if (samePages.pagesShared > 0) return -EBUSY;
        settings.maxPageSharing = value;
        return 0;
      },
      2,
      0x7fff_ffff,
    ),
    merge_across_nodes: rememberedInteger(tunables, "ksm/merge_across_nodes", 1, 1),
    pages_scanned: counter(() => samePages.pagesScanned),
    pages_shared: counter(() => samePages.pagesShared),
    pages_sharing: counter(() => samePages.pagesSharing),
    pages_skipped: counter(() => samePages.pagesSkipped),
    pages_to_scan: setting(
      () => settings.pagesToScan,
      keep((value) => (settings.pagesToScan = value)),
    ),
    pages_unshared: counter(() => samePages.pagesUnshared),
    pages_volatile: counter(() => samePages.pagesVolatile),
    run: setting(
      () => settings.run,
      (value) => samePages.setRun(value),
      0,
      2,
    ),
    sleep_millisecs: setting(
      () => settings.sleepMilliseconds,
      keep((value) => {
        settings.sleepMilliseconds = value;
        samePages.daemon?.paceChanged();
      }),
    ),
    smart_scan: choice(
      () => settings.smartScan,
      (value) => (settings.smartScan = value),
    ),
    stable_node_chains: counter(() => samePages.chains.chains),
    stable_node_chains_prune_millisecs: rememberedInteger(tunables, "ksm/prune_millisecs", 2000),
    stable_node_dups: counter(() => samePages.chains.frames),
    use_zero_pages: choice(
      () => settings.useZeroPages,
      (value) => (settings.useZeroPages = value),
    ),
  };
}

/** /proc/PID/ksm_merging_pages. */
export function mergingPagesText({ samePages }: Kernel, mm: AddressSpace): string {
  return `${samePages.statisticsOf(mm).merging}\n`;
}

/** /proc/PID/ksm_stat. */
export function mergingText({ samePages }: Kernel, mm: AddressSpace): string {
  const { items, zeroPages, merging, profit } = samePages.statisticsOf(mm);
  const text =
    `ksm_rmap_items ${items}\nksm_zero_pages ${zeroPages}\n` +
    `ksm_merging_pages ${merging}\nksm_process_profit ${profit}\n`;
  if (!mm.env.release.mergingStatSaysWhether) return text;
  const yes = (which: boolean): string => (which ? "yes" : "no");
  let mergeable = false;
  for (const area of mm.tree) mergeable ||= (area.flags & VM_MERGEABLE) !== 0;
  return `${text}ksm_merge_any: ${yes(mm.mergeAny)}\nksm_mergeable: ${yes(mergeable)}\n`;
}
