import { EINVAL } from "../../errno.js";
import type { Kernel } from "../../kernel.js";
import type { HugePagesEnabled, MmSettings } from "../../mm/environment.js";
import { directory, text } from "./file-system.js";
import type { Node } from "./file-system.js";
import { integerFile, rememberedInteger, type Tunables } from "./settings.js";

const ENABLED: readonly HugePagesEnabled[] = ["always", "madvise", "never"];
const DEFRAG = ["always", "defer", "defer+madvise", "madvise", "never"];
const SHARED_MEMORY = ["always", "within_size", "advise", "never", "deny", "force"];

/** /sys/kernel/mm/transparent_hugepage (Documentation/admin-guide/mm/transhuge.rst). */
export function transparentHugePages({ mmSettings, tunables }: Kernel): Record<string, Node> {
  return {
    defrag: rememberedChoice(tunables, "thp/defrag", DEFRAG, "madvise"),
    enabled: enabledFile(mmSettings),
    hpage_pmd_size: text("2097152\n"),
    khugepaged: directory(() => collapser(tunables)),
    shmem_enabled: rememberedChoice(tunables, "thp/shmem_enabled", SHARED_MEMORY, "never"),
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

function enabledFile(settings: MmSettings): Node {
  return choice(
    ENABLED,
    () => settings.hugePages,
    (word) => {
      settings.hugePages = word as HugePagesEnabled;
    },
  );
}

/** All words in a line, the one that holds in brackets. */
function choice(words: readonly string[], get: () => string, set: (word: string) => void): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${words.map((word) => (word === get() ? `[${word}]` : word)).join(" ")}\n`,
    write: (written) => {
      const word = written.replace(/\0.*$/s, "").replace(/\n$/, "");
      if (!words.includes(word)) return -EINVAL;
      set(word);
      return 0;
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

/** khugepaged, which here never finds anything to do. */
function collapser(tunables: Tunables): Record<string, Node> {
  const number = (name: string, initial: number, most?: number): Node =>
    rememberedInteger(tunables, `khugepaged/${name}`, initial, most);
  return {
    alloc_sleep_millisecs: number("alloc_sleep_millisecs", 60000),
    defrag: number("defrag", 1, 1),
    full_scans: text("0\n"),
    max_ptes_none: number("max_ptes_none", 511, 511),
    max_ptes_shared: number("max_ptes_shared", 256, 511),
    max_ptes_swap: number("max_ptes_swap", 64, 511),
    pages_collapsed: text("0\n"),
    pages_to_scan: number("pages_to_scan", 4096),
    scan_sleep_millisecs: number("scan_sleep_millisecs", 10000),
  };
}
