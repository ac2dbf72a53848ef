import { beforeAll, describe, expect, it, vi } from "vitest";
import { BufferHost, Machine } from "../../debug/index.js";
import { framed, PacketReader } from "../../debug/gdb/packet-reader.js";
import { GdbSession } from "../../debug/gdb/session.js";
import { Traveller } from "../../debug/session/traveller.js";
import type { TimelineOptions } from "../../debug/timeline/timeline.js";
import { gdbSignal, linuxSignal } from "../../debug/gdb/signals.js";
import { findSample, Program, SYS } from "../../userland/index.js";

const SUPPORTED = "qSupported:multiprocess+;swbreak+;hwbreak+;fork-events+;vfork-events+;exec-events+";
const HERE = "p3e8.3e8";

/** Stores to `cell` and loads it three times, then makes two calls and ends with 5. */
function program(): Program {
  const text = new Program();
  text.within(".data", () => text.align(8).label("cell").u64(0));
  return text
    .label("_start")
    .code("mov ebx, 3\n lea rdx, [cell]")
    .code("again: mov [rdx], rbx\n store_end: mov rcx, [rdx]\n load_end: dec ebx\n jnz again")
    .code(
      `calls: mov eax, ${SYS.getpid}\n syscall\n after: mov edi, 5\n mov eax, ${SYS.exit_group}\n syscall`,
    );
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** What the sessions are told of time. */
let timeline: TimelineOptions = {};

/** By this clock every stop comes long after the last snapshot. */
function slowClock(): TimelineOptions {
  let now = 0;
  return { clock: () => (now += 50) };
}

class Client {
  readonly machine = Machine.create({ host: new BufferHost(), memoryBytes: 16 << 20 });
  readonly session: GdbSession;
  #sent = "";

  constructor() {
    this.machine.load(program().build());
    this.session = new GdbSession(this.machine, (text) => (this.#sent += text), timeline);
    this.ask("QStartNoAckMode");
    this.ask(SUPPORTED);
  }

  /** What comes back for these bytes, when the machine has stopped again. */
  receive(text: string): string {
    this.#sent = "";
    this.session.receive(bytesOf(text));
    for (let tries = 0; this.session.running && tries < 100; tries++) this.session.advance(1000);
    return this.#sent;
  }

  /** The payloads of the answer to a packet. */
  ask(payload: string): string {
    return [...this.receive(framed(payload)).matchAll(/\$([^#]*)#../g)].map(([, text]) => text).join("|");
  }

  register(number: number): bigint {
    const hex = this.ask(`p${number.toString(16)}`);
    return BigInt(`0x${hex.match(/../g)!.reverse().join("")}`);
  }
}

/** Where a label of the program is. */
function addressOf(name: string): string {
  const { machine } = new Client();
  for (let address = 0x400000; address < 0x402000; address++)
    if (machine.symbolAt(address) === name) return address.toString(16);
  throw new Error(`no ${name}`);
}

const RCX = 2;
const RBX = 1;
const RIP = 16;

describe("packets", () => {
  it("come in pieces, with acknowledgements, damage and interrupts between them", () => {
    const reader = new PacketReader();
    expect(reader.read(bytesOf("+$qC#b"))).toEqual([]);
    expect(reader.read(bytesOf("4\x03-$qC#00"))).toEqual([
      { kind: "packet", payload: "qC" },
      { kind: "interrupt" },
      { kind: "resend" },
      { kind: "damaged" },
    ]);
    // A packet that was cut off by the next one.
    expect(reader.read(bytesOf("$vCo$?#3f"))).toEqual([{ kind: "packet", payload: "?" }]);
    expect(reader.read(bytesOf("$?#zz"))).toEqual([{ kind: "damaged" }]);
    expect(reader.read(bytesOf(`$${"x".repeat((1 << 20) + 1)}`))).toEqual([{ kind: "damaged" }]);
  });

  it("are acknowledged until gdb wants that no more, and sent again when it asks", () => {
    const machine = Machine.create({ host: new BufferHost(), memoryBytes: 16 << 20 });
    machine.load(program().build());
    let sent = "";
    const session = new GdbSession(machine, (text) => (sent += text));
    session.receive(bytesOf("$qC#b4"));
    expect(sent).toBe(`+${framed("QC3e8")}`);
    session.receive(bytesOf("-$qC#00"));
    expect(sent).toBe(`+${framed("QC3e8")}${framed("QC3e8")}-`);
    sent = "";
    session.receive(bytesOf(framed("QStartNoAckMode")));
    session.receive(bytesOf(framed("qC")));
    expect(sent).toBe(`+${framed("OK")}${framed("QC3e8")}`);
  });

  it.each([
    "m",
    "mzz,4",
    "m400000",
    "M400000,4:00",
    "M400000,4",
    "Pzz=00",
    "G0",
    "Z0,",
    "Z2,400000,0",
    "Hgq",
    "Tx",
    "vCont;",
    "vCont;q",
    "vCont;rzz",
    "QCatchSyscalls:2",
    "QPassSignals:x",
    "vFile:open:2f",
    "vFile:pread:1",
  ])("that make no sense (%s) are an error, and the conversation goes on", (payload) => {
    const client = new Client();
    expect(client.ask(payload)).toMatch(/^E/);
    expect(client.ask("qC")).toBe(`QC${HERE}`);
  });

  it.each([
    "",
    "vMustReplyEmpty",
    "!",
    "b",
    "bx",
    "R00",
    "vRun;",
    "Z9,0,0",
    "qXfer:nothing:read::0,10",
    "vFile:x:",
  ])("that are not known (%s) have an empty answer", (payload) => {
    expect(new Client().ask(payload)).toBe("");
  });
});

it("signals have gdb's numbers", () => {
  expect([2, 5, 10, 11, 12, 17, 19, 31, 34, 64].map(gdbSignal)).toEqual([
    2, 5, 30, 11, 31, 20, 17, 12, 46, 78,
  ]);
  for (let signal = 1; signal <= 64; signal++)
    if (signal !== 16) expect(linuxSignal(gdbSignal(signal))).toBe(signal);
  expect(linuxSignal(143)).toBe(0);
});

describe.each([
  ["", () => ({})],
  [", where the way back from each stop is gone again to be short", slowClock],
])("a program under gdb%s", (_, options) => {
  beforeAll(() => {
    timeline = options();
  });
  it("is described, with protection keys where the processor has them", () => {
    const client = new Client();
    const description = client.ask("qXfer:features:read:target.xml:0,ffff");
    expect(description).toContain("org.gnu.gdb.i386.pkeys");
    expect(description[0]).toBe("l");
    const parts =
      client.ask("qXfer:features:read:target.xml:0,10") +
      client.ask("qXfer:features:read:target.xml:10,ffff");
    expect(parts).toBe(`m${description.slice(1, 17)}l${description.slice(17)}`);
    expect(client.ask("qXfer:exec-file:read:3e8:0,ff")).toBe("l/program");
    expect(client.ask("qXfer:threads:read::0,fff")).toContain(
      `<thread id="${HERE}" core="0" name="program"/>`,
    );
    expect(client.ask("qfThreadInfo")).toBe(`m${HERE}`);
    expect(client.ask("?")).toContain(`thread:${HERE};`);
    expect(client.ask("g").length).toBe(2 * (16 * 8 + 8 + 7 * 4 + 8 * 10 + 8 * 4 + 256 + 4 + 3 * 8 + 4));
  });

  it("stops at breakpoints that its memory does not show, each time", () => {
    const at = addressOf("store_end");
    for (const type of [0, 1]) {
      const client = new Client();
      const code = client.ask(`m${at},10`);
      expect(client.ask(`Z${type},${at},1`)).toBe("OK");
      for (const count of [3n, 2n, 1n]) {
        const stop = client.ask("vCont;c");
        expect(stop).toContain(type === 0 ? "swbreak:;" : "hwbreak:;");
        expect(client.register(RIP)).toBe(BigInt(`0x${at}`));
        expect(client.register(RBX)).toBe(count);
        expect(client.ask(`m${at},10`)).toBe(code);
        // As gdb steps over one.
        client.ask(`z${type},${at},1`);
        expect(client.ask(`vCont;s:${HERE}`)).toMatch(/^T05thread/);
        client.ask(`Z${type},${at},1`);
      }
      expect(client.ask("vCont;c")).toBe("W05;process:3e8");
    }
  });

  it("refuses a breakpoint where nothing is mapped", () => {
    expect(new Client().ask("Z0,10,1")).toBe("E0e");
  });

  it("stops behind the instruction that stores, loads or does either", () => {
    const cell = cellAddress();
    const stops = (type: number): bigint[] => {
      const client = new Client();
      expect(client.ask(`Z${type},${cell},8`)).toBe("OK");
      const seen: bigint[] = [];
      for (;;) {
        const stop = client.ask("vCont;c");
        if (stop.startsWith("W")) return seen;
        expect(stop).toContain(`${["watch", "rwatch", "awatch"][type - 2]!}:${cell};`);
        seen.push(client.register(RIP));
      }
    };
    const stored = BigInt(`0x${addressOf("store_end")}`);
    const loaded = BigInt(`0x${addressOf("load_end")}`);
    expect(stops(2)).toEqual([stored, stored, stored]);
    expect(stops(3)).toEqual([loaded, loaded, loaded]);
    expect(stops(4)).toEqual([stored, loaded, stored, loaded, stored, loaded]);
  });

  it("steps an instruction, a system call, and out of a range", () => {
    const client = new Client();
    expect(client.ask(`vCont;s:${HERE}`)).toMatch(/^T05thread/);
    expect(client.machine.instructions).toBe(1);
    const calls = addressOf("calls");
    client.ask(`vCont;r400000,${calls}:${HERE}`);
    expect(client.register(RIP)).toBe(BigInt(`0x${calls}`));
    client.ask("vCont;s");
    client.ask("vCont;s");
    expect(client.register(RIP)).toBe(BigInt(`0x${addressOf("after")}`));
    expect(client.register(0)).toBe(1000n);
  });

  it("stops at the entry and the exit of a call, and its arguments can be changed", () => {
    const client = new Client();
    expect(client.ask(`QCatchSyscalls:1;${SYS.getpid.toString(16)};e7`)).toBe("OK");
    expect(client.ask("vCont;c")).toContain(`syscall_entry:${SYS.getpid.toString(16)};`);
    expect(BigInt.asIntN(64, client.register(0))).toBe(-38n);
    expect(client.ask("vCont;c")).toContain(`syscall_return:${SYS.getpid.toString(16)};`);
    expect(client.register(0)).toBe(1000n);
    expect(client.ask("vCont;c")).toContain("syscall_entry:e7;");
    expect(client.ask("P5=0700000000000000")).toBe("OK");
    expect(client.ask("vCont;c")).toBe("W07;process:3e8");
  });

  it("has registers and memory that can be written", () => {
    const client = new Client();
    const at = addressOf("store_end");
    client.ask(`Z0,${at},1`);
    client.ask("vCont;c");
    client.ask(`z0,${at},1`);
    // mov rcx, [rdx] becomes three times nop, in a page that the program may not write.
    expect(client.ask(`M${at},3:909090`)).toBe("OK");
    expect(client.ask(`P${RCX.toString(16)}=8877665544332211`)).toBe("OK");
    client.ask(`vCont;s`);
    expect(client.register(RCX)).toBe(0x1122334455667788n);
    const all = client.ask("g");
    expect(client.ask(`G${all}`)).toBe("OK");
    expect(client.ask("g")).toBe(all);
    expect(client.ask("P11=0100000000000000")).toMatch(/^E/);
    expect(client.ask("m0,8")).toBe("E0e");
    expect(client.ask("M0,1:00")).toBe("E0e");
  });

  it("shows the guest's files", () => {
    const client = new Client();
    const open = (path: string, flags = 0): string =>
      client.ask(`vFile:open:${Buffer.from(path).toString("hex")},${flags.toString(16)},0`);
    expect(open("/program")).toBe("F3");
    expect(client.ask("vFile:pread:3,4,0")).toBe("F4;\x7fELF");
    expect(client.ask("vFile:fstat:3").slice(0, 4)).toBe("F40;");
    expect(client.ask("vFile:close:3")).toBe("F0");
    expect(client.ask("vFile:close:3")).toBe("F-1,9");
    expect(open("/absent")).toBe("F-1,2");
    expect(open("/program", 1)).toBe("F-1,1e");
    expect(open("/")).toBe("F-1,d");
    expect(open("/proc/1000/maps")).toBe("F4");
    expect(client.ask("vFile:pread:4,1000,0")).toContain("/program");
    expect(client.ask(`vFile:readlink:${Buffer.from("/proc/1000/exe").toString("hex")}`)).toBe("F8;/program");
  });

  it("answers monitor commands", () => {
    const client = new Client();
    const monitor = (command: string): string =>
      client
        .ask(`qRcmd,${Buffer.from(command).toString("hex")}`)
        .split("|")
        .map((part) =>
          part.startsWith("O") && part !== "OK" ? Buffer.from(part.slice(1), "hex").toString() : "",
        )
        .join("");
    expect(monitor("help")).toContain("monitor walk ADDR");
    expect(monitor("explain")).toBe("nothing has been refused\n");
    expect(monitor("seals")).toBe("no area is sealed\n");
    expect(monitor("pkru")).toContain("key 1: no access");
    expect(monitor("walk 0")).toContain("read: page fault, error code 0x4");
    expect(monitor("walk x")).toContain("an address");
    expect(monitor("maps")).toContain("[stack]");
    expect(monitor("nonsense")).toContain("no monitor command nonsense");
  });

  it("runs the same instructions when it is looked at as when it is not", () => {
    const plain = Machine.create({ host: new BufferHost(), memoryBytes: 16 << 20 });
    plain.load(program().build());
    plain.run();
    const client = new Client();
    const [at, cell] = [addressOf("load_end"), cellAddress()];
    client.ask(`Z0,${at},1`);
    client.ask(`Z4,${cell},8`);
    for (let stop = ""; !stop.startsWith("W");) {
      client.ask("g");
      client.ask(`m${cell},8`);
      client.ask(`z0,${at},1`);
      stop = client.ask("vCont;s");
      client.ask(`Z0,${at},1`);
      if (!stop.startsWith("W")) stop = client.ask("vCont;c");
    }
    expect(client.machine.instructions).toBe(plain.instructions);
  });

  it.each(["thread-keys", "fork-seals"])("is interrupted at will without a change of its run: %s", (name) => {
    const start = (): { machine: Machine; host: BufferHost } => {
      const host = new BufferHost();
      const machine = Machine.create({ host, memoryBytes: 32 << 20 });
      machine.load(findSample(name)!.build(), { path: `/${name}` });
      return { machine, host };
    };
    const plain = start();
    plain.machine.run();
    const { machine, host } = start();
    let sent = "";
    const session = new GdbSession(machine, (text) => (sent += text), timeline);
    const ask = (payload: string): void => session.receive(bytesOf(framed(payload)));
    ask(SUPPORTED);
    ask("QPassSignals:a;b;e;14");
    ask("QCatchSyscalls:1");
    for (let stops = 0; !/\$[WX]..;process:3e8#/.test(sent) && stops < 2000; stops++) {
      for (const look of ["qfThreadInfo", "g", "m400000,100", "qXfer:threads:read::0,fff"]) ask(look);
      sent = "";
      ask("vCont;c");
      for (let runs = 0; session.running && runs < 100; runs++) {
        session.advance(97);
        if (session.running && runs % 7 === 6) session.receive(bytesOf("\x03"));
      }
    }
    expect(sent).toContain("$W00;process:3e8#");
    expect(host.text(1)).toBe(plain.host.text(1));
    expect(machine.instructions).toBe(plain.machine.instructions);
  });

  it("goes back by an instruction, and to the last stop, to the beginning", () => {
    const client = new Client();
    expect(client.ask(SUPPORTED)).toContain("ReverseStep+;ReverseContinue+");
    expect(client.ask("bs")).toMatch(/^T05replaylog:begin;thread:p3e8\.3e8;/);
    const [cell, loadEnd] = [cellAddress(), addressOf("load_end")];
    client.ask("QCatchSyscalls:1;e7");
    const shorten = vi.spyOn(Traveller.prototype, "shortenWayBack");
    expect(client.ask("vCont;c")).toContain("syscall_entry:e7;");
    expect(shorten).toHaveBeenCalledTimes(timeline.clock === undefined ? 0 : 1);
    shorten.mockRestore();
    const end = client.machine.instructions;
    expect(client.ask("bs")).toMatch(/^T05thread:/);
    expect(client.machine.instructions).toBe(end - 1);
    // The last store wrote 1 where 2 was: it stands before it, and then before those of 2 and 3.
    client.ask(`Z2,${cell},8`);
    const values: [bigint, string][] = [];
    for (;;) {
      const stop = client.ask("bc");
      if (stop.startsWith("T05replaylog:begin;")) break;
      expect(stop).toContain(`watch:${cell};`);
      values.push([client.register(RBX), client.ask(`m${cell},1`)]);
    }
    expect(values).toEqual([
      [1n, "02"],
      [2n, "03"],
      [3n, "00"],
    ]);
    expect(client.machine.instructions).toBe(0);
    client.ask(`z2,${cell},8`);
    client.ask(`Z0,${loadEnd},1`);
    for (let i = 0; i < 3; i++) {
      expect(client.ask("vCont;c")).toContain("swbreak:");
      client.ask(`z0,${loadEnd},1`);
      client.ask("vCont;s");
      client.ask(`Z0,${loadEnd},1`);
    }
    client.ask("bc");
    expect(client.register(RBX)).toBe(1n);
    client.ask("bc");
    expect([client.register(RIP), client.register(RBX)]).toEqual([BigInt(`0x${loadEnd}`), 2n]);
    client.ask(`z0,${loadEnd},1`);
    expect(client.ask("vCont;c")).toContain("syscall_entry:e7;");
    expect(client.ask("vCont;c")).toMatch(/^W05/);
    expect(client.machine.instructions).toBe(end);
  });

  it("has another future where something was written, and its past as it was", () => {
    const client = new Client();
    client.ask("QCatchSyscalls:1;e7");
    client.ask("vCont;c");
    const [cell, loadEnd] = [cellAddress(), addressOf("load_end")];
    client.ask(`Z0,${loadEnd},1`);
    expect(client.ask("bc")).toContain("swbreak:");
    expect(client.register(RBX)).toBe(1n);
    // One more round.
    expect(client.ask(`P${RBX.toString(16)}=0200000000000000`)).toBe("OK");
    expect(client.ask(`M${cell},1:07`)).toBe("OK");
    client.ask("bs");
    expect([client.ask(`m${cell},1`), client.register(RBX)]).toEqual(["01", 1n]);
    // The breakpoint again, with what was written there.
    client.ask("vCont;s");
    client.ask(`z0,${loadEnd},1`);
    client.ask("vCont;s");
    expect([client.ask(`m${cell},1`), client.register(RBX)]).toEqual(["07", 1n]);
    client.ask(`Z0,${loadEnd},1`);
    expect(client.ask("vCont;c")).toContain("swbreak:");
    expect([client.ask(`m${cell},1`), client.register(RBX)]).toEqual(["01", 1n]);
  });

  it("is let go, or killed", () => {
    const gone = new Client();
    expect(gone.ask("D;3e8")).toBe("OK");
    expect(gone.session.outcome).toBe("detached");
    gone.session.close();
    expect(gone.machine.run()).toMatchObject({ reason: "exited", status: { code: 5 } });
    const killed = new Client();
    expect(killed.ask("vKill;3e8")).toBe("OK");
    expect(killed.session.outcome).toBe("killed");
    killed.session.close();
    expect(killed.machine.run()).toMatchObject({ reason: "exited", status: { signal: 9 } });
  });
});

/** The loop's address in RDX. */
function cellAddress(): string {
  const client = new Client();
  client.ask("vCont;s");
  client.ask("vCont;s");
  return client.register(3).toString(16);
}
