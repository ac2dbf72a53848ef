import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { bytesOf } from "../../../kernel/fs/bytes.js";
import { gzipStored } from "../../../kernel/fs/procfs/gzip-stored.js";
import { kernelConfig, kernelConfigFile } from "../../../kernel/fs/procfs/kernel-config.js";
import { bareKernel } from "../bare-kernel.js";

it("gunzip reads what gzipStored wrote", () => {
  for (const length of [0, 1, 0xffff, 0x1_0000, 200_000]) {
    const content = "Kernel\xff\0".repeat(Math.ceil(length / 8)).slice(0, length);
    expect(gunzipSync(bytesOf(gzipStored(content))).toString("latin1")).toBe(content);
  }
});

it("/proc/config.gz tells what the kernel was built with, each option once", () => {
  const { kernel } = bareKernel({ pku: false });
  const config = gunzipSync(bytesOf(kernelConfigFile(kernel))).toString("latin1");
  expect(config).toBe(kernelConfig(kernel));
  const names = [...config.matchAll(/CONFIG_(\w+)/g)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(config).toContain("\nCONFIG_KSM=y\n");
  expect(config).toContain("\n# CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS is not set\n");
});
