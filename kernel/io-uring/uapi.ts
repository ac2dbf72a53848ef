/** Numbers of include/uapi/linux/io_uring.h. */

export const IORING_SETUP_CQSIZE = 1 << 3;
export const IORING_SETUP_CLAMP = 1 << 4;
export const IORING_SETUP_R_DISABLED = 1 << 6;
export const IORING_SETUP_SUBMIT_ALL = 1 << 7;
export const IORING_SETUP_COOP_TASKRUN = 1 << 8;
export const IORING_SETUP_SINGLE_ISSUER = 1 << 12;
export const IORING_SETUP_DEFER_TASKRUN = 1 << 13;
export const IORING_SETUP_NO_SQARRAY = 1 << 16;

export const IORING_OFF_CQ_RING = 0x800_0000;
export const IORING_OFF_SQES = 0x1000_0000;
/** Which of the two, or the rings (IORING_OFF_MMAP_MASK). */
export const IORING_OFF_MMAP_MASK = 0xf800_0000;

export const IORING_ENTER_GETEVENTS = 1;
export const IORING_ENTER_EXT_ARG = 8;
export const IORING_ENTER_ABS_TIMER = 32;

export const IORING_SQ_CQ_OVERFLOW = 2;
export const IORING_CQ_EVENTFD_DISABLED = 1;

export const IOSQE_FIXED_FILE = 1;
export const IOSQE_IO_DRAIN = 2;
export const IOSQE_IO_LINK = 4;
export const IOSQE_IO_HARDLINK = 8;
export const IOSQE_ASYNC = 16;
export const IOSQE_CQE_SKIP_SUCCESS = 64;

export const SQE_BYTES = 64;
export const CQE_BYTES = 16;

/** Where the rings' words are in their memory, as Linux 6.x lays them out (struct io_rings). */
export const RINGS = {
  sqHead: 0,
  sqTail: 4,
  cqHead: 8,
  cqTail: 12,
  sqMask: 16,
  cqMask: 20,
  sqEntries: 24,
  cqEntries: 28,
  sqDropped: 32,
  sqFlags: 36,
  cqFlags: 40,
  cqOverflow: 44,
  cqes: 64,
} as const;
