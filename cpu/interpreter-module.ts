import { microOps } from "./ir/registry.js";
import { generateInterpreter } from "./wasm/interpreter.js";
import { RAM_BASE } from "../mmu/layout.js";

let compiled: WebAssembly.Module | undefined;

/** The interpreter's bytes, for the build. */
export function interpreterBytes(): Uint8Array {
  return generateInterpreter(microOps(), RAM_BASE / 65536);
}

export function interpreterModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(interpreterBytes());
  return compiled;
}
