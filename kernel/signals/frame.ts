/**
 * The signal frame of x86-64 Linux: struct rt_sigframe, its ucontext, and the XSAVE area above it
 * (arch/x86/include/uapi/asm/sigcontext.h, ucontext.h). Offsets are bytes from the frame's start.
 */

export const FRAME_RETURN_ADDRESS = 0;
export const FRAME_UCONTEXT = 8;
export const FRAME_UC_FLAGS = 8;
export const FRAME_UC_LINK = 16;
export const FRAME_UC_STACK = 24;
/** sigcontext: r8 to r15, then the others in an order of their own. */
export const FRAME_REGISTERS = 48;
export const FRAME_RIP = 176;
export const FRAME_RFLAGS = 184;
export const FRAME_CS = 192;
export const FRAME_SS = 198;
export const FRAME_ERROR = 200;
export const FRAME_TRAP = 208;
export const FRAME_OLDMASK = 216;
export const FRAME_CR2 = 224;
export const FRAME_FPSTATE = 232;
export const FRAME_SIGMASK = 304;
export const FRAME_SIGINFO = 312;
export const FRAME_BYTES = 440;

/** The general registers as the sigcontext has them: encoding numbers, 8 bytes each from FRAME_REGISTERS. */
export const FRAME_REGISTER_ORDER: readonly number[] = [8, 9, 10, 11, 12, 13, 14, 15, 7, 6, 5, 3, 2, 0, 1, 4];

export const UC_FP_XSTATE = 1;
export const UC_SIGCONTEXT_SS = 2;
export const UC_STRICT_RESTORE_SS = 4;

export const USER_CS = 0x33;
export const USER_DS = 0x2b;

/** Bytes below RSP that the ABI lets a leaf function use. */
export const RED_ZONE = 128;

/** The XSAVE area in standard form: legacy region, header, then PKRU (component 9) at 2688. */
export const XSAVE_BYTES = 2696;
/** The same without PKRU: it ends with the header. */
export const XSAVE_BYTES_NO_PKU = 576;
export const XSAVE_PKRU = 2688;
export const XSAVE_HEADER = 512;
/** x87, SSE, PKRU. */
export const XFEATURES = 0x203;
export const XFEATURE_PKRU = 0x200;
export const XFEATURE_SSE = 2;
export const XFEATURE_FPSSE = 3;
/** struct _fpx_sw_bytes, in the legacy region's reserved bytes. */
export const FX_SOFTWARE = 464;
export const FP_XSTATE_MAGIC1 = 0x4650_5853;
export const FP_XSTATE_MAGIC2 = 0x4650_5845;
/** FP_XSTATE_MAGIC2, which closes the area in a frame. */
export const MAGIC2_BYTES = 4;

/** PKRU of a new program and of a signal handler: every key but 0 refuses access (init_pkru). */
export const INITIAL_PKRU = 0x5555_5554;

/**
 * RFLAGS bits that sigreturn takes from the frame: AC, OF, DF, TF, SF, ZF, AF, PF, CF (FIX_EFLAGS). RF is left out:
 * it only keeps a code breakpoint from firing again, and is cleared by the next instruction.
 */
export const RESTORED_FLAGS = 0x4_0dd5;
export const FLAG_TF = 0x100;
export const FLAG_DF = 0x400;
export const FLAG_RF = 0x1_0000;
