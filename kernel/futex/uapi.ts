/** linux/futex.h. */

export const FUTEX_WAIT = 0;
export const FUTEX_WAKE = 1;
export const FUTEX_REQUEUE = 3;
export const FUTEX_CMP_REQUEUE = 4;
export const FUTEX_WAKE_OP = 5;
export const FUTEX_LOCK_PI = 6;
export const FUTEX_UNLOCK_PI = 7;
export const FUTEX_TRYLOCK_PI = 8;
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_WAKE_BITSET = 10;
export const FUTEX_WAIT_REQUEUE_PI = 11;
export const FUTEX_CMP_REQUEUE_PI = 12;
export const FUTEX_LOCK_PI2 = 13;

export const FUTEX_PRIVATE_FLAG = 128;
export const FUTEX_CLOCK_REALTIME = 256;
export const FUTEX_BITSET_MATCH_ANY = 0xffff_ffff;

/** In a word that a robust list or a PI operation looks after: who has it, and what else is known. */
export const FUTEX_WAITERS = 0x8000_0000;
export const FUTEX_OWNER_DIED = 0x4000_0000;
export const FUTEX_TID_MASK = 0x3fff_ffff;

/** Entries of a robust list that the kernel looks at, so that a ring ends. */
export const ROBUST_LIST_LIMIT = 2048;

/** Flags of futex_waitv(2) and of the calls from 454 on. */
export const FUTEX2_SIZE_MASK = 3;
export const FUTEX2_SIZE_U32 = 2;
export const FUTEX2_NUMA = 4;
export const FUTEX2_MPOL = 8;
export const FUTEX2_PRIVATE = 128;
export const FUTEX_WAITV_MAX = 128;
/** In the node word of a FUTEX2_NUMA futex: any. */
export const FUTEX_NO_NODE = 0xffff_ffff;
