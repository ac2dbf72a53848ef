import { signalName } from "../../kernel/signals/numbers.js";
import { signalCodeName, type SignalInfo } from "../../kernel/signals/siginfo.js";
import { flagsText, hex, pointer, table } from "./names.js";

/** Signals in a set, as strace lists them. */
const SHORT_NAMES = Array.from({ length: 65 }, (_, signal) => signalName(signal).replace(/^SIG/, ""));

/** `[INT CHLD]`; a set with more than half of all signals is shown as what it lacks: `~[KILL STOP]`. */
export function signalSetText(set: bigint): string {
  const members: string[] = [];
  const others: string[] = [];
  for (let signal = 1; signal <= 64; signal++) {
    ((set >> BigInt(signal - 1)) & 1n ? members : others).push(SHORT_NAMES[signal]!);
  }
  return members.length > 42 ? `~[${others.join(" ")}]` : `[${members.join(" ")}]`;
}

const ACTION_FLAGS = table("SA_???", {
  SA_RESTORER: 0x0400_0000,
  SA_ONSTACK: 0x0800_0000,
  SA_RESTART: 0x1000_0000,
  SA_INTERRUPT: 0x2000_0000,
  SA_NODEFER: 0x4000_0000,
  SA_RESETHAND: 0x8000_0000,
  SA_SIGINFO: 4,
  SA_NOCLDWAIT: 2,
  SA_NOCLDSTOP: 1,
  SA_UNSUPPORTED: 0x400,
  SA_EXPOSE_TAGBITS: 0x800,
});

/** The kernel's struct sigaction: handler, flags, restorer, mask. */
export function signalActionText(view: DataView): string {
  const handler = view.getBigUint64(0, true);
  const flags = view.getBigUint64(8, true);
  const name = handler === 0n ? "SIG_DFL" : handler === 1n ? "SIG_IGN" : pointer(handler);
  const parts = [
    `sa_handler=${name}`,
    `sa_mask=${signalSetText(view.getBigUint64(24, true))}`,
    `sa_flags=${flagsText(flags & 0xffff_ffffn, ACTION_FLAGS)}`,
  ];
  if ((flags & 0x0400_0000n) !== 0n) parts.push(`sa_restorer=${pointer(view.getBigUint64(16, true))}`);
  return `{${parts.join(", ")}}`;
}

/** `{si_signo=SIGSEGV, si_code=SEGV_PKUERR, si_addr=0x5ea10000, si_pkey=1}`. */
export function signalInfoText(info: SignalInfo): string {
  const parts = [`si_signo=${signalName(info.signo)}`, `si_code=${signalCodeName(info.signo, info.code)}`];
  if (info.errno !== 0) parts.push(`si_errno=${info.errno}`);
  const { detail } = info;
  switch (detail.kind) {
    case "kill":
      parts.push(`si_pid=${detail.pid}`, `si_uid=${detail.uid}`);
      break;
    case "queue":
      parts.push(`si_pid=${detail.pid}`, `si_uid=${detail.uid}`, ...valueText(detail.value));
      break;
    case "timer":
      parts.push(
        `si_timerid=${hex(detail.timer)}`,
        `si_overrun=${detail.overrun}`,
        ...valueText(detail.value),
      );
      break;
    case "fault":
      parts.push(`si_addr=${pointer(detail.address)}`);
      if (detail.pkey !== undefined) parts.push(`si_pkey=${detail.pkey}`);
      break;
    case "child":
      parts.push(
        `si_pid=${detail.pid}`,
        `si_uid=${detail.uid}`,
        `si_status=${childStatus(info.code, detail.status)}`,
      );
      parts.push(`si_utime=${detail.utime}`, `si_stime=${detail.stime}`);
      break;
    case "none":
      if (FAULT_SIGNALS.has(info.signo)) parts.push("si_addr=NULL");
      break;
    case "raw":
      break;
  }
  return `{${parts.join(", ")}}`;
}

/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: strace shows their address even when the kernel gave none. */
const FAULT_SIGNALS: ReadonlySet<number> = new Set([4, 5, 7, 8, 11]);

function valueText(value: bigint): string[] {
  const low = BigInt.asIntN(32, value);
  return [`si_int=${low}`, `si_ptr=${pointer(BigInt.asUintN(64, value))}`];
}

const CLD_EXITED = 1;

/** An exit code as a number, anything else that a child does by its signal. */
function childStatus(code: number, status: number): string {
  return code === CLD_EXITED ? String(status) : signalName(status & 0x7f);
}
