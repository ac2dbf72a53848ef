import { vdsoImage } from "../userland/vdso-image.js";

let bytes: Uint8Array | undefined;

/** The vDSO, assembled at the first use; the build puts the finished bytes in vdsoImage's place. */
export function vdsoBytes(): Uint8Array {
  bytes ??= vdsoImage();
  return bytes;
}
