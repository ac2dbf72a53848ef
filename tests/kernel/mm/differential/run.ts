import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmulatedLists } from "../../../../debug/fuzz/emulated.js";
import { readFrames } from "../../../../debug/fuzz/frames.js";
import { buildInterpreter } from "../../../../debug/fuzz/interpreter.js";
import { encodeLists, type Operation } from "../../../../debug/fuzz/operation.js";
import { PATIENCE_MS } from "../../../patience.js";

const sealab = new EmulatedLists();
let path: string | undefined;

/** sealab's answers. */
export function runInSealab(operations: readonly Operation[]): string[] {
  return sealab.answer([operations])[0]!;
}

/** This machine's answers. */
export function runNatively(operations: readonly Operation[]): string[] {
  if (path === undefined) {
    path = join(mkdtempSync(join(tmpdir(), "sealab-mm-")), "interpreter");
    writeFileSync(path, buildInterpreter(), { mode: 0o755 });
  }
  const child = spawnSync(
    "unshare",
    ["--pid", "--fork", "--kill-child", "--mount-proc", "setarch", "-R", path],
    { input: encodeLists([operations]), maxBuffer: 1 << 26, timeout: PATIENCE_MS },
  );
  return (
    readFrames([operations], child.stdout)[0] ?? [`native: ${String(child.status)} ${String(child.signal)}`]
  );
}
