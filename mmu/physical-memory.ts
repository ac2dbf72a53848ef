import { PAGE_SHIFT, PAGE_SIZE, RAM_BASE, RECORDS_BASE } from "./layout.js";
import type { PageFrame } from "./types.js";

const WASM_PAGE_BYTES = 0x1_0000;
/** Guest RAM and the machine's own area share the 4 GiB that a 32-bit WebAssembly.Memory can have. */
const MAX_RAM_BYTES = 0x1_0000_0000 - RAM_BASE;

/**
 * Physical address bits (MAXPHYADDR, CPUID 0x80000008:EAX[7:0]) of every CPU model: page-table entries'
 * bits 32 to 51 are reserved.
 */
export const PHYSICAL_ADDRESS_BITS = 32;

/** The machine's one WebAssembly.Memory: CPU state, TLB, decoded records and, from RAM_BASE on, guest RAM. */
export class PhysicalMemory {
  readonly memory: WebAssembly.Memory;
  /** Views over the whole linear memory. It never grows, so they never detach. */
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  /** Bytes of guest RAM, a multiple of 64 KiB. */
  readonly ramBytes: number;
  readonly frameCount: number;
  /** One byte a frame; 1 = the CPU has decoded code from it, so whoever writes it must say so first. */
  readonly codePages: Uint8Array;
  /**
   * One byte a frame; 1 = its bytes are those that a snapshot keeps, so no write tag leads to it and whoever writes it
   * sets 0. All 0 while nobody takes snapshots.
   */
  readonly unchanged: Uint8Array;
  /** Told of each page-table entry that was written; null: nobody listens. */
  entryWatcher: ((entry: number) => void) | null = null;
  /** Set by the CPU: forget what was decoded from these bytes, which are about to change. */
  onCodeWrite: (frame: PageFrame, offset: number, length: number) => void = () => {};

  /**
   * @param ramBytes guest RAM in bytes, rounded up to 64 KiB; the host commits pages as they are touched
   * @param used what {@link giveUp} gave: taken over where it has the same size
   * @throws RangeError when it does not fit beside the machine's own area in 4 GiB
   */
  constructor(ramBytes: number, used?: WebAssembly.Memory) {
    this.ramBytes = Math.ceil(ramBytes / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
    if (!(this.ramBytes > 0 && this.ramBytes <= MAX_RAM_BYTES))
      throw new RangeError(`guest memory must be between 64 KiB and ${MAX_RAM_BYTES / 2 ** 20} MiB`);
    const pages = (RAM_BASE + this.ramBytes) / WASM_PAGE_BYTES;
    this.memory =
      used?.buffer.byteLength === pages * WASM_PAGE_BYTES
        ? used
        : new WebAssembly.Memory({ initial: pages, maximum: pages });
    const buffer = this.memory.buffer;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.frameCount = this.ramBytes >>> PAGE_SHIFT;
    this.codePages = new Uint8Array(this.frameCount);
    this.unchanged = new Uint8Array(this.frameCount);
  }

  /**
   * The linear memory for another machine, which takes less time than to ask the host for a new one. This one must not
   * be used any more. Zeroed are the CPU's state and the frames below `frames`, those that were ever handed out; decoded
   * records are always written before they are read.
   */
  giveUp(frames: number): WebAssembly.Memory {
    this.u8.fill(0, 0, RECORDS_BASE);
    this.u8.fill(0, RAM_BASE, RAM_BASE + frames * PAGE_SIZE);
    return this.memory;
  }

  /** Linear address (offset in the memory) of a frame's first byte. */
  linearOf(frame: PageFrame): number {
    return RAM_BASE + frame * PAGE_SIZE;
  }

  /** The frame that holds a linear address. */
  frameOf(linear: number): PageFrame {
    return (linear - RAM_BASE) >>> PAGE_SHIFT;
  }

  /** A frame's 4096 bytes. To write through it, call `aboutToWrite` first. */
  frameBytes(frame: PageFrame): Uint8Array {
    const linear = this.linearOf(frame);
    return this.u8.subarray(linear, linear + PAGE_SIZE);
  }

  /** To be called before anything but the CPU's own checked stores changes bytes of a frame. */
  aboutToWrite(frame: PageFrame, offset: number, length: number): void {
    this.unchanged[frame] = 0;
    if (this.codePages[frame] !== 0) this.onCodeWrite(frame, offset, length);
  }

  /** To be called when a page-table entry is written. @param entry index of one of its halves in `u32` */
  entryWritten(entry: number): void {
    this.unchanged[(entry - (RAM_BASE >>> 2)) >>> (PAGE_SHIFT - 2)] = 0;
    if (this.entryWatcher !== null) this.entryWatcher(entry);
  }
}
