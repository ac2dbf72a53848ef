import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { machineDigest } from "../../debug/snapshot/digest.js";
import { loadMachine } from "../../debug/snapshot/machine-file.js";
import { findSample, Program, SYS } from "../../userland/index.js";
import { runTo } from "../debug/snapshot/programs.js";
import { tar } from "../kernel/fs/tar-archive.js";
import { scratchDirectory, sealab } from "./command.js";

/** docs/browser.html, as it is, in a real browser: machines that the command line saved go on there as in Node. */
const REPOSITORY = join(import.meta.dirname, "..", "..");
const RECORDED = join(import.meta.dirname, "..", "recorded");
const GETRANDOM = 318;

const chromium = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((path) => path !== undefined && existsSync(path));
if (chromium === undefined) console.log("skipped: a saved machine in a browser: no Chromium (CHROMIUM=PATH)");

const directory = scratchDirectory();

/** Puts what the page says into a request, as soon as it says that it is done. */
const REPORTER = `<script type="module">
  const said = (id) => document.getElementById(id).textContent;
  const timer = setInterval(() => {
    if (document.body.dataset.done === undefined) return;
    clearInterval(timer);
    void fetch("/said", { method: "POST", body: JSON.stringify({ output: said("output"), end: said("end") }) });
  }, 20);
</script>`;

interface Said {
  readonly output: string;
  readonly end: string;
}

let server: Server;
let heard: (said: Said) => void = () => {};

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const served: Record<string, () => { type: string; body: Uint8Array | string }> = {
  "/docs/browser.html": () => ({
    type: "text/html",
    body: readFileSync(join(REPOSITORY, "docs", "browser.html"), "utf8") + REPORTER,
  }),
  "/dist/browser.js": () => ({
    type: "text/javascript",
    body: readFileSync(join(REPOSITORY, "dist", "browser.js")),
  }),
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://here");
    if (request.method === "POST") {
      void textOf(request).then((text) => {
        response.end();
        heard(JSON.parse(text) as Said);
      });
      return;
    }
    const found =
      served[pathname]?.() ??
      (/^\/of-test\/[\w.-]+$/.test(pathname)
        ? { type: "application/octet-stream", body: readFileSync(join(directory, pathname.slice(9))) }
        : null);
    response.writeHead(found === null ? 404 : 200, { "content-type": found?.type ?? "text/plain" });
    response.end(found?.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void server.close());

/** What the page says of a machine, in a Chromium of its own. */
async function inBrowser(machine: string, root?: string): Promise<Said> {
  const { port } = server.address() as AddressInfo;
  const query = `machine=/of-test/${machine}${root === undefined ? "" : `&root=/of-test/${root}`}`;
  const options = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    `--user-data-dir=${join(directory, `profile-${machine}`)}`,
  ];
  const url = `http://127.0.0.1:${port}/docs/browser.html?${query}`;
  const browser = spawn(chromium!, [...options, url], { stdio: "ignore" });
  try {
    return await new Promise<Said>((resolve, reject) => {
      heard = resolve;
      browser.on("error", reject);
      browser.on("exit", (code) => reject(new Error(`Chromium ended with ${code}`)));
    });
  } finally {
    browser.removeAllListeners("exit");
    const ended = new Promise((resolve) => browser.once("exit", resolve));
    browser.kill();
    await ended;
  }
}

/** What the same file comes to in Node, in the page's words. */
function inNode(machine: string, archive?: Uint8Array): Said {
  const host = new BufferHost();
  const file = new Uint8Array(readFileSync(join(directory, machine)));
  const loaded = loadMachine(file, archive === undefined ? { host } : { host, archive });
  runTo(loaded, Infinity);
  const { code, signal } = loaded.exit!;
  const how = signal === null ? `status ${code}` : `signal ${signal}`;
  return {
    output: host.text(1) + host.text(2),
    end: `${how}, ${loaded.instructions} instructions, digest ${machineDigest(loaded)}`,
  };
}

/** Saves a machine with the command line, to `name`.snap. */
function save(name: string, ...args: string[]): string {
  const file = `${name}.snap`;
  expect(sealab(["snapshot", "save", "-o", join(directory, file), ...args])).toMatchObject({ status: 0 });
  return file;
}

function install(name: string, elf: Uint8Array): string {
  writeFileSync(join(directory, name), elf, { mode: 0o755 });
  return join(directory, name);
}

/** Three million instructions over some pages of memory, random bytes, then a word and status 7. */
function busy(): Uint8Array {
  const program = new Program().label("_start");
  program.within(".bss", () => program.label("bytes").reserve(65536));
  program.within(".rodata", () => program.label("word").string("done\n"));
  program.syscall(GETRANDOM, "bytes", 64, 0);
  program.code("lea rsi, [bytes]\n mov ecx, 600000\n again: mov eax, ecx\n and eax, 0xfff8");
  program.code("add [rsi+rax], rcx\n dec ecx\n jnz again");
  program.code("mov rdx, [rsi+8]\n and edx, 0x3f\n add edx, 0x40\n mov [rsi], dl");
  return program.syscall(SYS.write, 1, "bytes", 1).syscall(SYS.write, 1, "word", 5).exit(7).build();
}

describe.skipIf(chromium === undefined)("a saved machine in a browser (skipped without Chromium)", () => {
  it("goes on as in Node: a long run, in the middle of it", async () => {
    const file = save("busy", "--bare", "--at", "1000003", install("busy", busy()));
    const said = await inBrowser(file);
    expect(said).toEqual(inNode(file));
    expect(said.output).toMatch(/^.done\n$/);
    expect(said.end).toMatch(/^status 7, 3000\d\d\d instructions, digest/);
  });

  it("goes on as in Node: behind a seal", async () => {
    const file = save(
      "sealed",
      ...["--bare", "--at-syscall", "mseal"],
      install("jit-heap", findSample("jit-heap")!.build()),
    );
    expect(await inBrowser(file)).toEqual(inNode(file));
    expect(inNode(file).output).toContain("EPERM");
  });

  it.each(["processes/parting", "signals/signals", "sockets/sockets-processes"])(
    "goes on as in Node: %s",
    async (name) => {
      const file = save(
        name.replace("/", "-"),
        ...["--bare", "--at", "20000"],
        join(RECORDED, `${name}.elf`),
      );
      expect(await inBrowser(file)).toEqual(inNode(file));
    },
  );

  it("reads the rest of its root from the archive", async () => {
    const archive = tar([{ name: "busy", mode: 0o755, content: busy() }]);
    writeFileSync(join(directory, "root.tar"), archive);
    const file = save("rooted", "--root", join(directory, "root.tar"), "--at", "10", "/busy");
    expect(await inBrowser(file, "root.tar")).toEqual(inNode(file, archive));
    expect((await inBrowser(file)).end).toBe("SnapshotError: needs the archive that was its root");
  });

  it("says what it cannot have there", async () => {
    const file = save("mounted", "--at", "10", install("busy", busy()));
    expect((await inBrowser(file)).end).toContain("needs a host with the files");
  });
});
