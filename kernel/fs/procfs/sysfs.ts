import type { Kernel } from "../../kernel.js";
import { blockDirectories, blockLinks, blockNumbers } from "./block-files.js";
import { buses, eventSources } from "./event-sources.js";
import { directory, text } from "./file-system.js";
import type { Node } from "./file-system.js";
import { memoryNodes } from "./node-files.js";
import { hugePagePools } from "./huge-page-files.js";
import { samePageMerging } from "./same-page-files.js";
import { transparentHugePages } from "./transparent-huge-pages.js";

/** /sys: the little that C libraries and allocators look for. */
export function systemFiles(kernel: Kernel): Record<string, Node> {
  const cpu = (): Record<string, Node> => ({
    cpu0: directory(() => ({ online: text("1\n") })),
    online: text("0\n"),
    possible: text("0\n"),
    present: text("0\n"),
  });
  return {
    block: directory(() => blockLinks(kernel, "../")),
    bus: directory(buses),
    class: directory(() => ({ block: directory(() => blockLinks(kernel, "../../")) })),
    dev: directory(() => ({ block: directory(() => blockNumbers(kernel)) })),
    devices: directory(() => ({
      ...eventSources(kernel),
      system: directory(() => ({ cpu: directory(cpu), node: directory(() => memoryNodes(kernel)) })),
      virtual: directory(() => ({ block: directory(() => blockDirectories(kernel)) })),
    })),
    fs: directory(() => ({ cgroup: directory(() => ({})) })),
    kernel: directory(() => ({
      mm: directory(() => ({
        ksm: directory(() => samePageMerging(kernel)),
        transparent_hugepage: directory(() => transparentHugePages(kernel)),
        hugepages: directory(() => hugePagePools(kernel)),
      })),
    })),
  };
}
