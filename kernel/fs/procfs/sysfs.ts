import type { Kernel } from "../../kernel.js";
import { directory, text } from "./file-system.js";
import type { Node } from "./file-system.js";
import { rememberedChoice, rememberedInteger } from "./settings.js";

/** /sys: the little that C libraries and allocators look for. */
export function systemFiles(kernel: Kernel): Record<string, Node> {
  const cpu = (): Record<string, Node> => ({
    cpu0: directory(() => ({ online: text("1\n") })),
    online: text("0\n"),
    possible: text("0\n"),
    present: text("0\n"),
  });
  return {
    devices: directory(() => ({ system: directory(() => ({ cpu: directory(cpu) })) })),
    fs: directory(() => ({})),
    kernel: directory(() => ({
      mm: directory(() => ({
        transparent_hugepage: directory(() => transparentHugePages(kernel)),
      })),
    })),
  };
}

/** Settings of huge pages, as where the search for 2 MiB in one piece never finds any. */
function transparentHugePages({ tunables }: Kernel): Record<string, Node> {
  const choice = (name: string, words: string, initial: string): Node =>
    rememberedChoice(tunables, `transparent_hugepage/${name}`, words.split(" "), initial);
  const number = (name: string, initial: number, most?: number): Node =>
    rememberedInteger(tunables, `transparent_hugepage/${name}`, initial, most);
  return {
    defrag: choice("defrag", "always defer defer+madvise madvise never", "madvise"),
    enabled: choice("enabled", "always madvise never", "never"),
    hpage_pmd_size: text("2097152\n"),
    khugepaged: directory(() => ({
      alloc_sleep_millisecs: number("alloc_sleep_millisecs", 60000),
      defrag: number("khugepaged/defrag", 1, 1),
      full_scans: text("0\n"),
      max_ptes_none: number("max_ptes_none", 511, 511),
      max_ptes_shared: number("max_ptes_shared", 256, 511),
      max_ptes_swap: number("max_ptes_swap", 64, 511),
      pages_collapsed: text("0\n"),
      pages_to_scan: number("pages_to_scan", 4096),
      scan_sleep_millisecs: number("scan_sleep_millisecs", 10000),
    })),
    shmem_enabled: choice("shmem_enabled", "always within_size advise never deny force", "never"),
    use_zero_page: number("use_zero_page", 1, 1),
  };
}
