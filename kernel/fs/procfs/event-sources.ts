/** /sys/bus/event_source: what counts events (kernel/events/core.c pmu_dev_alloc). */

import type { Kernel } from "../../kernel.js";
import {
  PERF_TYPE_BREAKPOINT,
  PERF_TYPE_SOFTWARE,
  PERF_TYPE_TRACEPOINT,
  PERF_TYPE_UPROBE,
} from "../../perf/uapi.js";
import { directory, link, text } from "./file-system.js";
import type { Node } from "./file-system.js";
import { rememberedInteger } from "./settings.js";

const TYPES: Readonly<Record<string, number>> = {
  breakpoint: PERF_TYPE_BREAKPOINT,
  software: PERF_TYPE_SOFTWARE,
  tracepoint: PERF_TYPE_TRACEPOINT,
  uprobe: PERF_TYPE_UPROBE,
};
const MUX_INTERVAL = 4;

/** /sys/bus */
export function buses(): Record<string, Node> {
  const devices = (): Record<string, Node> =>
    Object.fromEntries(Object.keys(TYPES).map((name) => [name, link(`../../../devices/${name}`)]));
  return {
    event_source: directory(() => ({
      devices: directory(devices),
      drivers: directory(() => ({})),
    })),
  };
}

/** What /sys/devices has of them. */
export function eventSources({ tunables }: Kernel): Record<string, Node> {
  const files = (name: string): Record<string, Node> => ({
    ...(name === "uprobe" ? { format: directory(uprobeFormat) } : {}),
    perf_event_mux_interval_ms: rememberedInteger(tunables, `perf/${name}`, MUX_INTERVAL),
    subsystem: link("../../bus/event_source"),
    type: text(`${TYPES[name]}\n`),
    uevent: text(""),
  });
  return Object.fromEntries(Object.keys(TYPES).map((name) => [name, directory(() => files(name))]));
}

function uprobeFormat(): Record<string, Node> {
  return { ref_ctr_offset: text("config:32-63\n"), retprobe: text("config:0\n") };
}
