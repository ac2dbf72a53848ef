import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hostRunsPrograms } from "../userland/native.js";
import { cli } from "../cli/command.js";
import { compileOnce } from "../programs/compile-once.js";
import { DebugAdapter } from "./gdb/debug-adapter.js";

/** What an editor does with lldb's debug adapter (lldb-dap, lldb-vscode before 18) and docs/gdb.md's configuration. */
const SOURCE = join(import.meta.dirname, "gdb", "debugged.c");

const adapter = [
  process.env["LLDB_DAP"],
  "/usr/bin/lldb-dap",
  ...[22, 21, 20, 19, 18].map((version) => `/usr/bin/lldb-dap-${version}`),
].find((path) => path !== undefined && existsSync(path));

const program =
  adapter === undefined || !hostRunsPrograms
    ? undefined
    : compileOnce(SOURCE, "debugged", "gcc", ["-g", "-O0", "-w", "-pthread"]);
if (program === undefined)
  console.log("skipped: lldb's debug adapter: no lldb-dap (LLDB_DAP=PATH), or no gcc");

/** Starts `sealab gdb` on a free port. */
async function served(): Promise<{ port: number; ended: Promise<number | null>; stop: () => void }> {
  const libraries = ["lib", "lib64", "usr/lib"].flatMap((folder) => ["--mount", `/${folder}:/${folder}`]);
  const server = spawn(process.execPath, [cli, "gdb", "--port", "0", ...libraries, program!]);
  const ended = new Promise<number | null>((resolve) => server.once("exit", (status) => resolve(status)));
  let said = "";
  const port = await new Promise<number>((resolve, reject) => {
    server.stderr.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      const found = /target remote 127\.0\.0\.1:(\d+)/.exec(said);
      if (found) resolve(Number(found[1]));
    });
    server.once("exit", () => reject(new Error(said)));
  });
  return { port, ended, stop: () => server.kill() };
}

it.skipIf(program === undefined)(
  "lldb's debug adapter: breakpoint, stack, variables, step, end (skipped without lldb-dap or gcc)",
  async () => {
    const { port, ended, stop } = await served();
    const editor = new DebugAdapter(adapter!);
    try {
      const line = 1 + readFileSync(SOURCE, "utf8").split("\n").indexOf("  return result;");
      await editor.request("initialize", { adapterID: "lldb-dap", linesStartAt1: true, pathFormat: "path" });
      const attached = editor.request("attach", {
        program,
        attachCommands: [`gdb-remote 127.0.0.1:${port}`],
      });
      await editor.event("initialized");
      await editor.request("setBreakpoints", { source: { path: SOURCE }, breakpoints: [{ line }] });
      await editor.request("configurationDone");
      await attached;
      const { threadId, reason } = await editor.event("stopped");
      expect(reason).toBe("breakpoint");
      const stack = (await editor.request("stackTrace", { threadId })) as unknown as {
        stackFrames: { id: number; name: string; line: number }[];
      };
      expect(stack.stackFrames[0]).toMatchObject({ name: "square", line });
      const { scopes } = (await editor.request("scopes", {
        frameId: stack.stackFrames[0].id,
      })) as unknown as {
        scopes: { name: string; variablesReference: number }[];
      };
      const { variables } = await editor.request("variables", {
        variablesReference: scopes.find(({ name }) => name === "Locals")!.variablesReference,
      });
      expect(variables).toContainEqual(expect.objectContaining({ name: "result", value: "1" }));
      await editor.request("next", { threadId });
      expect(await editor.event("stopped")).toMatchObject({ reason: "step" });
      await editor.request("setBreakpoints", { source: { path: SOURCE }, breakpoints: [] });
      await editor.request("continue", { threadId });
      // Of SIGUSR1, which the program raises.
      expect(await editor.event("stopped")).toMatchObject({ reason: "exception" });
      await editor.request("continue", { threadId });
      expect(await editor.event("exited")).toMatchObject({ exitCode: 7 });
      expect(await ended).toBe(7);
    } finally {
      await editor.close();
      stop();
    }
  },
);
