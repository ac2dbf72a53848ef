import { CPU_STATE_BASE } from "../mmu/layout.js";

export { CPU_STATE_BASE };

/**
 * The CPU state's layout in linear memory, as addresses. Micro-op operands are addresses of registers, so that
 * AH is the byte behind AL and an 8-, 16-, 32- or 64-bit view of a register is a load of that width.
 */

/** Sixteen general registers of 8 bytes in encoding order (RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 …). */
export const GPR = CPU_STATE_BASE;
/** Scratch registers of one instruction, 8 bytes each; dead at its end. */
export const TEMP = CPU_STATE_BASE + 128;
export const TEMPS = 8;
/** Always 0: the base or index of an address that has none. */
export const ZERO = CPU_STATE_BASE + 192;
export const RIP = CPU_STATE_BASE + 200;
/** Lazy flags: the last result, sign-extended from the operation's width; see cpu/flags.ts. */
export const FLAG_RESULT = CPU_STATE_BASE + 208;
/** Lazy flags: carries and corrections (u32). */
export const FLAG_AUX = CPU_STATE_BASE + 216;
/** RFLAGS bits that are not arithmetic: TF, DF, NT, RF, AC, ID (u32, in their places). */
export const FLAG_OTHER = CPU_STATE_BASE + 220;
export const FS_BASE = CPU_STATE_BASE + 224;
export const GS_BASE = CPU_STATE_BASE + 232;
/** Linear address of the current data TLB bank (u32). */
export const TLB_BANK = CPU_STATE_BASE + 240;
export const PKRU = CPU_STATE_BASE + 244;
export const MXCSR = CPU_STATE_BASE + 248;
/** The address space whose entries of the jump cache count (u32). */
export const JUMP_TAG = CPU_STATE_BASE + 256;
/** Instructions that may still be executed (i32). */
export const FUEL = CPU_STATE_BASE + 264;
/** The record at which the interpreter stopped (u32). */
export const EXIT_RECORD = CPU_STATE_BASE + 268;
/** Address of the guest access that goes through the slow path (u64). */
export const ACCESS_ADDRESS = CPU_STATE_BASE + 272;
/** Exception vector and error code of an EXCEPTION exit (u32 each). */
export const EXIT_VECTOR = CPU_STATE_BASE + 280;
export const EXIT_ERROR = CPU_STATE_BASE + 284;
/** Bytes of an access that crosses a page, and of a store on its way through the slow path. */
export const BOUNCE = CPU_STATE_BASE + 320;
/** Sixteen 16-byte vector registers. */
export const XMM = CPU_STATE_BASE + 512;
/** Scratch vector registers of one instruction. */
export const XTEMP = CPU_STATE_BASE + 768;
export const XTEMPS = 4;
/** x87: eight registers ST-physical R0..R7, 16 bytes each: 64-bit significand, then 16-bit sign and exponent. */
export const X87 = CPU_STATE_BASE + 832;
export const X87_CONTROL = CPU_STATE_BASE + 960;
/** Status word without TOP (u16). */
export const X87_STATUS = CPU_STATE_BASE + 962;
/** TOP, 0 to 7 (u8). */
export const X87_TOP = CPU_STATE_BASE + 964;
/** One bit a physical register, 1 = not empty (u8), as FXSAVE's abridged tag word. */
export const X87_TAGS = CPU_STATE_BASE + 965;
export const X87_OPCODE = CPU_STATE_BASE + 966;
export const X87_IP = CPU_STATE_BASE + 968;
export const X87_DP = CPU_STATE_BASE + 976;
export const X87_END = CPU_STATE_BASE + 984;
/** Selectors of ES, CS, SS, DS, FS, GS (u16 each). */
export const SELECTOR = CPU_STATE_BASE + 984;
/**
 * Descriptor caches in the same order, 16 bytes each: base (u64; of FS and GS it is FS_BASE and GS_BASE), limit in
 * bytes (u32, inclusive), attributes (u32); see cpu/segments.ts.
 */
export const SEGMENT_CACHE = CPU_STATE_BASE + 1000;
export const SEGMENT_CACHE_BYTES = 16;
/** End of what a context switch saves. */
export const STATE_END = SEGMENT_CACHE + 6 * SEGMENT_CACHE_BYTES;
export const STATE_BYTES = STATE_END - CPU_STATE_BASE;

export const RAX = GPR;
export const RCX = GPR + 8;
export const RDX = GPR + 16;
export const RBX = GPR + 24;
export const RSP = GPR + 32;
export const RBP = GPR + 40;
export const RSI = GPR + 48;
export const RDI = GPR + 56;
export const R11 = GPR + 88;
/**
 * PKRU values whose TLB banks WRPKRU knows without leaving WebAssembly: pairs of the value and the bank's address
 * (u32 each), address 0 where there is none.
 */
export const PKRU_RECENT = CPU_STATE_BASE + 1152;
export const PKRU_RECENT_ENTRIES = 4;
/** Record of the last WRPKRU that did not leave WebAssembly, and FUEL at it; 0 if there was none since it was asked. */
export const PKRU_WRITER_RECORD = CPU_STATE_BASE + 1184;
export const PKRU_WRITER_FUEL = CPU_STATE_BASE + 1188;
/** Exit code that a slow path or callout asks for (u32). */
export const EXIT_CODE = CPU_STATE_BASE + 288;
