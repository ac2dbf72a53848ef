import { EINVAL } from "../../errno.js";
import type { Kernel } from "../../kernel.js";
import type { HugePagesEnabled } from "../../mm/environment.js";
import type { CollapseSettings } from "../../mm/huge/khugepaged.js";
import { LEAST_ORDER, PMD_ORDER, type OrderEnabled } from "../../mm/huge/orders.js";
import {
  LEAST_SHARED_ORDER,
  setSharedEnabled,
  setSharedOrder,
  type SharedEnabled,
  type SharedOrderEnabled,
} from "../../mm/huge/shared-mount.js";
import { directory, file, text } from "./file-system.js";
import type { Node } from "./file-system.js";
import { integerFile, rememberedInteger, type Tunables } from "./settings.js";

const UINT_MAX = 2 ** 32 - 1;
const ENABLED: readonly HugePagesEnabled[] = ["always", "madvise", "never"];
const ORDER_ENABLED: readonly OrderEnabled[] = ["always", "inherit", "madvise", "never"];
const DEFRAG = ["always", "defer", "defer+madvise", "madvise", "never"];
const SHARED_MEMORY: readonly SharedEnabled[] = ["always", "within_size", "advise", "never", "deny", "force"];
const SHARED_SIZE: readonly SharedOrderEnabled[] = ["always", "inherit", "within_size", "advise", "never"];

/** /sys/kernel/mm/transparent_hugepage (Documentation/admin-guide/mm/transhuge.rst). */
export function transparentHugePages(kernel: Kernel): Record<string, Node> {
  const { mmSettings, tunables } = kernel;
  const sizes: Record<string, Node> = {};
  const shared = kernel.release.rules.sharedHugeSizes;
  for (let order = shared ? LEAST_SHARED_ORDER : LEAST_ORDER; order <= PMD_ORDER; order++)
    sizes[`hugepages-${4 * 2 ** order}kB`] = directory(() => ({
      ...(order >= LEAST_ORDER ? { enabled: orderFile(kernel, order) } : {}),
      ...(shared ? { shmem_enabled: sharedOrderFile(kernel, order) } : {}),
    }));
  return {
    ...sizes,
    defrag: rememberedChoice(tunables, "thp/defrag", DEFRAG, "madvise"),
    enabled: enabledFile(kernel),
    hpage_pmd_size: text("2097152\n"),
    khugepaged: directory(() => khugepagedFiles(kernel)),
    shmem_enabled: sharedFile(kernel),
    use_zero_page: integerFile(
      () => (mmSettings.hugeZeroPage ? 1 : 0),
      (value) => {
        mmSettings.hugeZeroPage = value !== 0;
      },
      0,
      1,
    ),
  };
}

function enabledFile({ mmSettings: settings, khugepaged }: Kernel): Node {
  return choice(
    ENABLED,
    () => settings.hugePages,
    (word) => {
      settings.hugePages = word as HugePagesEnabled;
      khugepaged.daemon?.wake();
    },
  );
}

function orderFile({ mmSettings: { hugeOrders }, khugepaged }: Kernel, order: number): Node {
  return choice(
    ORDER_ENABLED,
    () => hugeOrders[order],
    (word) => {
      hugeOrders[order] = word as OrderEnabled;
      khugepaged.daemon?.wake();
    },
  );
}

function sharedFile({ mmSettings: { sharedMemory }, khugepaged }: Kernel): Node {
  return choice(
    SHARED_MEMORY,
    () => sharedMemory.settings.enabled,
    (word) => {
      const done = setSharedEnabled(sharedMemory, word as SharedEnabled);
      khugepaged.daemon?.wake();
      return done;
    },
  );
}

function sharedOrderFile({ mmSettings: { sharedMemory }, khugepaged }: Kernel, order: number): Node {
  const { settings } = sharedMemory;
  return choice(
    SHARED_SIZE,
    () => settings.orders[order],
    (word) => {
      const done = setSharedOrder(settings, order, word as SharedOrderEnabled);
      khugepaged.daemon?.wake();
      return done;
    },
  );
}

/** All words in a line, the one that holds in brackets. @param set answers false for EINVAL */
function choice(words: readonly string[], get: () => string, set: (word: string) => unknown): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${words.map((word) => (word === get() ? `[${word}]` : word)).join(" ")}\n`,
    write: (written) => {
      const word = written.replace(/\0.*$/s, "").replace(/\n$/, "");
      if (!words.includes(word)) return -EINVAL;
      return set(word) === false ? -EINVAL : 0;
    },
  };
}

function rememberedChoice(tunables: Tunables, name: string, words: readonly string[], initial: string): Node {
  return choice(
    words,
    () => tunables.get(name) ?? initial,
    (word) => tunables.set(name, word),
  );
}

function khugepagedFiles({ khugepaged, tunables }: Kernel): Record<string, Node> {
  const { settings } = khugepaged;
  const number = (name: keyof CollapseSettings, least: number, most: number): Node =>
    integerFile(
      () => settings[name],
      (value) => {
        settings[name] = value;
        if (name.endsWith("SleepMilliseconds")) khugepaged.daemon?.paceChanged();
      },
      least,
      most,
    );
  return {
    alloc_sleep_millisecs: number("allocSleepMilliseconds", 0, UINT_MAX),
    defrag: rememberedInteger(tunables, "khugepaged/defrag", 1, 1),
    full_scans: file(() => `${khugepaged.fullScans}\n`),
    max_ptes_none: number("none", 0, 511),
    max_ptes_shared: number("shared", 0, 511),
    max_ptes_swap: number("swap", 0, 511),
    pages_collapsed: file(() => `${khugepaged.pagesCollapsed}\n`),
    pages_to_scan: number("pagesToScan", 1, UINT_MAX),
    scan_sleep_millisecs: number("scanSleepMilliseconds", 0, UINT_MAX),
  };
}
