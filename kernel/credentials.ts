/** Whom a task acts as (credentials(7)). */

export interface Credentials {
  uid: number;
  euid: number;
  suid: number;
  fsuid: number;
  gid: number;
  egid: number;
  sgid: number;
  fsgid: number;
  groups: number[];
  /** Capability sets, 64 bits each. */
  permitted: bigint;
  effective: bigint;
  inheritable: bigint;
  bounding: bigint;
  ambient: bigint;
}

/** Capabilities up to CAP_CHECKPOINT_RESTORE (40). */
export const CAP_LAST = 40;
const ALL_CAPABILITIES = (1n << BigInt(CAP_LAST + 1)) - 1n;

export const CAP_IPC_LOCK = 14;

export function userCredentials(uid: number, gid: number): Credentials {
  const capabilities = uid === 0 ? ALL_CAPABILITIES : 0n;
  return {
    uid,
    euid: uid,
    suid: uid,
    fsuid: uid,
    gid,
    egid: gid,
    sgid: gid,
    fsgid: gid,
    groups: [gid],
    permitted: capabilities,
    effective: capabilities,
    inheritable: 0n,
    bounding: ALL_CAPABILITIES,
    ambient: 0n,
  };
}

export function hasCapability(credentials: Credentials, capability: number): boolean {
  return ((credentials.effective >> BigInt(capability)) & 1n) !== 0n;
}
